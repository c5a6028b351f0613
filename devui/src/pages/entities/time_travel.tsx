// Time travel: the user function is asked what it would have answered after an event, and after another one beside it.
import { useEffect, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../../api/client';
import type { ReplayRequestJson, ReplayResponseJson } from '../../api/contract';
import { setQuery } from '../../router';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useSettled } from '../../state/use_settled';
import { Button, ErrorBox } from '../../ui/basics';
import { DiffView } from '../../ui/diff_view';
import { durationMs, formatCount, formatDuration, num, plural } from '../../ui/format';
import { parseJson } from '../../ui/json_view';
import type { DetailProps } from './detail';
import { MethodForm } from './method_form';
import { OutcomeView } from './outcome';
import { refusal, rememberedMethod, rememberMethod, replay } from './replay';
import { inputFor, readMethod, unaryMethods } from '../../state/services';

interface Answer {
  point: number;
  response: ReplayResponseJson;
}

interface Answers {
  list: Answer[];
  error: ApiError | undefined;
  busy: boolean;
}

// Runs when `key` changes; what was answered before stays until then.
function useReplays(key: string | undefined, requests: ReplayRequestJson[]): Answers {
  const [answers, setAnswers] = useState<Answers>({ list: [], error: undefined, busy: false });
  useEffect(() => {
    if (key === undefined) {
      // What was under way has been given up.
      setAnswers((before) => (before.busy ? { ...before, busy: false } : before));
      return;
    }
    const abort = new AbortController();
    setAnswers((before) => ({ ...before, busy: true }));
    Promise.all(requests.map((request) => replay(request, abort.signal))).then(
      (responses) => {
        const list = responses.map((response, i) => ({ point: num(requests[i]!.sequence), response }));
        if (!abort.signal.aborted) setAnswers({ list, error: undefined, busy: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setAnswers({ list: [], error: asApiError(error), busy: false });
      },
    );
    return () => abort.abort();
  }, [key]);
  return answers;
}

export function TimeTravel({ entity, service, settled, last, query }: DetailProps) {
  const { persistenceId = '', entityId = '' } = entity;
  const methods = unaryMethods(service);
  const known = (name: string | null | undefined) => methods.find((each) => each.name === name);
  const method = known(query.get('method')) ?? known(rememberedMethod(service?.name ?? '')) ?? readMethod(service);
  const preset = inputFor(method, entityId);
  const [typed, type] = useSettled('input', query.get('input') ?? undefined);
  const input = typed ?? preset;
  const compare = query.has('compare') ? Math.min(Math.max(0, Number.parseInt(query.get('compare')!, 10) || 0), last) : undefined;
  const refused = refusal(useStore(status), methods.length);
  // Nothing runs because of an address alone: a person starts it, and from then on it follows the point.
  const [turn, setTurn] = useState(0);
  const [ran, setRan] = useState('');
  const wanted = JSON.stringify([method?.name, input]);

  const request = (sequence: number): ReplayRequestJson => ({
    persistenceId, entityId, sequence: String(sequence), withoutSnapshots: query.get('snapshots') === 'none',
    commands: [{ service: service?.name ?? '', method: method?.name ?? '', json: input }],
  });
  const points = compare === undefined || compare === settled ? [settled] : [Math.min(compare, settled), Math.max(compare, settled)];
  const follows = turn > 0 && ran === wanted && refused === undefined;
  const answers = useReplays(follows ? JSON.stringify([points, wanted, query.get('snapshots'), turn]) : undefined, points.map(request));
  const run = () => {
    rememberMethod(service?.name ?? '', method?.name ?? '');
    setQuery({ method: method?.name ?? null, input: input === preset ? null : input });
    setRan(wanted);
    setTurn((before) => before + 1);
  };
  return (
    <div class="sections">
      <p class="muted">
        A fresh stream of the user function gets the first {plural(settled, 'event')}, then this command. Nothing is stored.
      </p>
      <MethodForm
        methods={methods} method={method?.name ?? ''} input={input} action={`Run after event ${formatCount(settled)}`} busy={answers.busy && answers.list.length === 0}
        refused={refused} onMethod={(name) => { type(null); setQuery({ method: name }); }} onInput={type} onRun={run}
      />
      <Options compare={compare} at={settled} last={last} whole={query.get('snapshots') === 'none'} />
      {answers.error && <ErrorBox error={answers.error} onRetry={run} />}
      <Results answers={answers} following={follows} />
    </div>
  );
}

function Options({ compare, at, last, whole }: { compare: number | undefined; at: number; last: number; whole: boolean }) {
  return (
    <div class="travel-options">
      <label class="other-point">
        <input type="checkbox" checked={compare !== undefined} onChange={(event) => setQuery({ compare: event.currentTarget.checked ? Math.max(0, at - 1) : null })} />
        Compare
      </label>
      {compare !== undefined && <CompareField compare={compare} last={last} />}
      {compare !== undefined && <Button small kind="quiet" disabled={compare === at} onClick={() => setQuery({ at: compare, compare: at })}>Swap</Button>}
      <label class="other-point" title="Replays every event in place of a snapshot: slower, and shows whether they agree">
        <input type="checkbox" checked={whole} onChange={(event) => setQuery({ snapshots: event.currentTarget.checked ? 'none' : null })} />
        From the first event
      </label>
    </div>
  );
}

// What is being typed stays while answers come in.
function CompareField({ compare, last }: { compare: number; last: number }) {
  const [typed, setTyped] = useState<string>();
  const commit = (text: string) => {
    setTyped(undefined);
    setQuery({ compare: Math.min(Math.max(0, Number.parseInt(text, 10) || 0), last) });
  };
  return (
    <label class="other-point">
      <span class="muted">with event</span>
      <input
        class="point-number" type="number" min={0} max={last} value={typed ?? String(compare)} onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => commit(event.currentTarget.value)}
      />
    </label>
  );
}

function began({ response }: Answer): string {
  const snapshot = num(response.snapshotSequence);
  const events = plural(num(response.replayedEvents), 'event');
  const from = snapshot > 0 ? `snapshot ${formatCount(snapshot)} and ${events}` : events;
  return `began from ${from} · ${formatDuration(durationMs(response.duration))}`;
}

function Results({ answers: { list, busy }, following }: { answers: Answers; following: boolean }) {
  const [first, second] = list;
  if (first === undefined) return null;
  const reply = (answer: Answer) => parseJson(answer.response.outcomes?.[0]?.reply?.json);
  return (
    <div class={busy || !following ? 'sections sections-waiting' : 'sections'} aria-live="polite">
      {second && (
        <section aria-label="Difference">
          <div class="section-head"><h3>What differs between the replies</h3></div>
          <DiffView before={reply(first)} after={reply(second)} label={`Replies after event ${first.point} and ${second.point}`} />
        </section>
      )}
      <div class="travel-answers">
        {list.map((answer) => (
          <section key={answer.point} aria-label={`Reply after event ${answer.point}`}>
            <div class="section-head">
              <h3>{answer.point === 0 ? 'Before the first event' : `After event ${formatCount(answer.point)}`}</h3>
              <span class="muted">{began(answer)}</span>
            </div>
            {(answer.response.outcomes ?? []).map((outcome, i) => <OutcomeView key={i} outcome={outcome} />)}
          </section>
        ))}
      </div>
    </div>
  );
}
