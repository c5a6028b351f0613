// A fork: an entity as it was at a point, and what commands would have made of it from there.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../../api/client';
import type { EntityJson, ServiceJson } from '../../api/contract';
import { href, setQuery } from '../../router';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useSettled } from '../../state/use_settled';
import { announce } from '../../ui/announce';
import { Button, Card, ErrorBox, LinkButton, Page } from '../../ui/basics';
import { saveFile } from '../../ui/download';
import { formatCount, num, plural } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { fileName } from './file_name';
import { ForkEvents, ForkSteps } from './fork_parts';
import { eventsOf, type Fork, loadFork, newForkId, saveFork } from './fork_store';
import { MethodForm } from './method_form';
import { refusal, replay } from './replay';
import { inputFor, unaryMethods, writeMethod } from '../../state/services';

type Change = (make: (before: Fork) => Fork) => void;

// It is kept, and named by the address, once something was run in it.
function useFork(entity: EntityJson, query: URLSearchParams): [Fork, Change] {
  const { persistenceId = '', entityId = '' } = entity;
  const asked = query.get('fork');
  const [id] = useState(() => asked ?? newForkId());
  const [fork, setFork] = useState<Fork>(() => {
    const kept = asked === null ? undefined : loadFork(asked);
    if (kept?.persistenceId === persistenceId && kept.entityId === entityId) return kept;
    if (asked !== null) announce('This tab does not have that fork: it begins anew.');
    const last = num(entity.lastSequence);
    const at = Number.parseInt(query.get('at') ?? '', 10);
    return { persistenceId, entityId, point: Number.isNaN(at) ? last : Math.min(Math.max(0, at), last), steps: [] };
  });
  const newest = useRef(fork);
  const left = useRef(false);
  useEffect(() => () => void (left.current = true), []);
  const change: Change = (make) => {
    const next = make(newest.current);
    newest.current = next;
    setFork(next);
    if (!saveFork(id, next)) announce('The browser has no room for this fork: it is gone when this page is left. Export it.', 'bad');
    // A command may end when somebody has gone elsewhere.
    if (!left.current) setQuery({ fork: id, at: next.point });
  };
  return [fork, change];
}

// Runs one command behind all that the fork has stored.
function useRun(fork: Fork, change: Change) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const run = async (service: string, method: string, json: string) => {
    setBusy(true);
    setError(undefined);
    try {
      const response = await replay({
        persistenceId: fork.persistenceId, entityId: fork.entityId, sequence: String(fork.point),
        events: eventsOf(fork).map(({ payload: { typeUrl = '', value = '' } }) => ({ typeUrl, value })),
        commands: [{ service, method, json }],
      });
      const outcome = response.outcomes?.[0];
      if (outcome) change((before) => ({ ...before, steps: [...before.steps, { service, method, json, outcome }] }));
    } catch (problem) {
      setError(asApiError(problem));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

export function ForkPage({ entity, service, query }: { entity: EntityJson; service: ServiceJson | undefined; query: URLSearchParams }) {
  const { persistenceId = '', entityId = '' } = entity;
  const [fork, change] = useFork(entity, query);
  const { busy, error, run } = useRun(fork, change);
  const events = eventsOf(fork);
  const back = href(['entities', persistenceId, entityId], { at: fork.point });
  const exportIt = () => saveFile(fileName(entity, `fork-${fork.point}.json`), [JSON.stringify(fork, null, 2)], 'application/json');
  return (
    <Page
      wide label={`Fork of ${entityId}`}
      title={<span class="entity-key"><Icon name="fork" />Fork of <a href={back}>{persistenceId}/{entityId}</a></span>}
      actions={
        <>
          <LinkButton icon="left" href={back}>To the entity</LinkButton>
          <Button icon="download" onClick={exportIt}>Export</Button>
          <Button
            icon="refresh" disabled={busy || fork.steps.length === 0} onClick={() => change((before) => ({ ...before, steps: [] }))}
            title={busy ? 'A command runs in it.' : 'Back to the point where it began'}
          >
            Reset
          </Button>
        </>
      }
    >
      <p class="fork-note">
        <Icon name="fork" />
        <span>
          Begins {fork.point === 0 ? 'before the first event' : <>after event <strong>{formatCount(fork.point)}</strong></>}. <strong>Nothing is stored</strong>:
          what commands do here is kept in this tab of the browser. Effects and forwards are shown and not carried out; what the user
          function's own code does elsewhere is up to it.
        </span>
      </p>
      <div class="entity-view">
        <Card class="card-table time-line" title="Events" actions={<span class="muted">{plural(events.length, 'event')} of this fork</span>}>
          <ForkEvents fork={fork} events={events} selected={query.get('event')} />
        </Card>
        <Card class="detail" title="Commands" actions={<span class="muted">{plural(fork.steps.length, 'command')} so far</span>}>
          <div class="fork-commands">
            <ForkForm service={service} entityId={entityId} busy={busy} query={query} onRun={(...command) => void run(...command)} />
            {error && <ErrorBox error={error} />}
            <ForkSteps fork={fork} events={events} selected={query.get('event')} />
          </div>
        </Card>
      </div>
    </Page>
  );
}

function ForkForm(props: {
  service: ServiceJson | undefined; entityId: string; busy: boolean; query: URLSearchParams; onRun: (service: string, method: string, json: string) => void;
}) {
  const { service, query } = props;
  const methods = unaryMethods(service);
  const method = methods.find(({ name }) => name === query.get('method')) ?? writeMethod(service);
  const [typed, type] = useSettled('input', query.get('input') ?? undefined);
  const input = typed ?? inputFor(method, props.entityId);
  return (
    <MethodForm
      methods={methods} method={method?.name ?? ''} input={input} action="Run in the fork" busy={props.busy} refused={refusal(useStore(status), methods.length)}
      onMethod={(name) => { type(null); setQuery({ method: name }); }} onInput={type}
      onRun={() => props.onRun(service?.name ?? '', method?.name ?? '', input)}
    />
  );
}
