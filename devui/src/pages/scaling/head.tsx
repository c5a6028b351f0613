// Where scaling stands, and what a person can change about it at once.
import { useEffect, useState } from 'preact/hooks';
import type { ScalingEventJson, ScalingStateJson } from '../../api/contract';
import { perform, setMode, setReplicas } from '../../state/steering';
import { Button, Card, Stat, Stats, Time } from '../../ui/basics';
import { CopyDeed, DeedButton, useRefusal } from '../../ui/deed';
import { Dialog } from '../../ui/dialog';
import { formatCount, num } from '../../ui/format';
import { changeText, PhaseBadge, whyText } from './event_panel';

const MODES = [
  { mode: 'manual', about: 'Nobody decides but you: there will be as many replicas as you say, beginning with those that are wanted now.' },
  { mode: 'cloudstate', about: 'The autoscaler of the published Cloudstate proxy decides by the concurrency of the user function and of requests. It never goes to zero.' },
  { mode: 'knative', about: 'Knative’s autoscaler decides by concurrency or calls per second, in panic when a burst comes, and goes to zero when nobody calls.' },
];

interface HeadProps {
  state: ScalingStateJson;
  done: () => void;
  onDecision: (event: ScalingEventJson) => void;
}

export function Head({ state, done, onDecision }: HeadProps) {
  const held = num(state.heldCalls);
  return (
    <Card class="sc-head" label="Now">
      <div class="sc-now">
        <ModeSwitch mode={state.mode ?? ''} done={done} />
        <Stats>
          <Stat label="Wanted" title="Replicas that there should be">{state.wanted ?? 0}</Stat>
          <Stat label="Ready">{state.ready ?? 0}</Stat>
          <Stat label="Starting">{state.starting ?? 0}</Stat>
          <Stat label="Draining">{state.draining ?? 0}</Stat>
          <Stat label="Held calls" title="Calls that the activator holds until a replica can take them"><span class={held > 0 ? 'sc-held' : undefined}>{formatCount(held)}</span></Stat>
        </Stats>
        {state.mode === 'manual' && <ByHand wanted={state.wanted ?? 0} done={done} />}
      </div>
      <LastDecision mode={state.mode} event={state.lastDecision} onDecision={onDecision} />
    </Card>
  );
}

function LastDecision({ mode, event, onDecision }: { mode: string | undefined; event: ScalingEventJson | undefined; onDecision: HeadProps['onDecision'] }) {
  if (event === undefined) return mode === 'manual' ? null : <p class="sc-last muted">Nothing has been decided yet.</p>;
  return (
    <p class="sc-last">
      <span class="muted">Last decision, <Time time={event.time} />:</span> <strong class="sc-change">{changeText(event)}</strong> <PhaseBadge phase={event.phase} />{' '}
      {whyText(event)}. <button type="button" class="link" onClick={() => onDecision(event)}>Its figures</button>
    </p>
  );
}

function ModeSwitch({ mode, done }: { mode: string; done: () => void }) {
  const [asked, setAsked] = useState<string>();
  const refusal = useRefusal();
  const wanted = MODES.find((each) => each.mode === asked);
  const close = () => setAsked(undefined);
  return (
    <div class="sc-mode">
      <span class="sc-label">Mode</span>
      <div class="segments" role="group" aria-label="Mode">
        {MODES.map((each) => (
          <Button
            key={each.mode} pressed={each.mode === mode} disabled={refusal !== undefined && each.mode !== mode} title={refusal ?? each.about}
            onClick={() => each.mode !== mode && setAsked(each.mode)}
          >
            {each.mode}
          </Button>
        ))}
      </div>
      {wanted && (
        <Dialog
          title={`Switch from ${mode} to ${wanted.mode}?`} onClose={close}
          actions={
            <>
              <CopyDeed deed={setMode(wanted.mode)} />
              <Button onClick={close}>Cancel</Button>
              <DeedButton deed={setMode(wanted.mode)} kind="primary" done={() => { close(); done(); }}>Switch</DeedButton>
            </>
          }
        >
          <p>{wanted.about}</p>
          <p class="muted">What it decides holds at once: replicas may start, or drain and end. No call fails by that.</p>
        </Dialog>
      )}
    </div>
  );
}

// Follows what is wanted, but for what somebody has typed.
function ByHand({ wanted, done }: { wanted: number; done: () => void }) {
  const [typed, setTyped] = useState<string>();
  const refusal = useRefusal();
  useEffect(() => setTyped((before) => (Number(before) === wanted ? undefined : before)), [wanted]);
  const value = typed ?? String(wanted);
  const number = /^\d+$/.test(value.trim()) ? Number(value) : undefined;
  const stepped = () => {
    setTyped(undefined);
    done();
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (number === undefined || number === wanted || refusal !== undefined) return;
    await perform(setReplicas(number));
    done();
  };
  return (
    <div class="sc-hand" role="group" aria-label="Replicas by hand">
      <label class="sc-label" for="sc-replicas">Replicas</label>
      <form class="sc-steps" onSubmit={(event) => void submit(event)}>
        <DeedButton deed={wanted > 0 ? setReplicas(wanted - 1) : undefined} why="There are to be none already." done={stepped} label="One fewer">−</DeedButton>
        <input
          id="sc-replicas" inputMode="numeric" value={value} aria-invalid={number === undefined} autocomplete="off"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <DeedButton deed={setReplicas(wanted + 1)} done={stepped} label="One more">+</DeedButton>
        <DeedButton deed={number === undefined || number === wanted ? undefined : setReplicas(number)} why={number === undefined ? 'A whole number such as 3.' : 'So many are wanted already.'} kind="primary" done={done}>Set</DeedButton>
        <CopyDeed deed={number === undefined ? undefined : setReplicas(number)} />
      </form>
    </div>
  );
}
