// What to do first: steps that check themselves off.
import { useEffect } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { EventJson, ListClusterEventsResponseJson, SampleJson, ServiceJson, StatusJson } from '../../api/contract';
import { get } from '../../api/client';
import { href } from '../../router';
import { useStore } from '../../state/store';
import { useQuery } from '../../state/use_query';
import { Button, Card, Command, LinkButton } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { num } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { inputFor, isCrdt, isStored, writeMethod } from '../../state/services';
import { curlLine } from '../../ui/shell';
import { isCallable } from '../../ui/user_function_state';
import { hideSteps, markDone, progress } from './progress';

interface StepsProps {
  now: StatusJson;
  services: ServiceJson[];
  shown: SampleJson[];
  newest: EventJson | undefined;
}

interface Step {
  key: string;
  title: string;
  done: boolean;
  body: ComponentChildren;
}

export function FirstSteps(props: StepsProps) {
  const { done } = useStore(progress);
  useWhatHappened(props, done);
  const steps = stepsOf(props, done);
  const current = steps.find((step) => !step.done)?.key;
  const count = steps.filter((step) => step.done).length;
  return (
    <Card
      class="steps" title={<>What to do first <span class="muted steps-count">{count} of {steps.length}</span></>}
      actions={<Button kind="quiet" small onClick={() => hideSteps(true)} title="First steps, at the top, brings them back">{current === undefined ? 'Done' : 'Hide'}</Button>}
    >
      <ol>
        {steps.map((step, i) => (
          <li key={step.key} class={step.done ? 'step-done' : undefined}>
            {/* Opens anew when it becomes the current one; otherwise it is as the person left it. */}
            <details key={String(step.key === current)} open={step.key === current}>
              <summary>
                <span class="step-mark" role="img" aria-label={step.done ? 'Done' : `Step ${i + 1}`}>{step.done ? <Icon name="check" /> : i + 1}</span>
                <span>{step.title}</span>
              </summary>
              <div class="step-body">{step.body}</div>
            </details>
          </li>
        ))}
      </ol>
    </Card>
  );
}

// Steps that are done by calls and in the cluster, here or from a terminal.
function useWhatHappened({ now, shown }: StepsProps, done: string[]) {
  const called = num(now.storedEvents) > 0 || shown.some(({ calls }) => num(calls?.calls) > 0);
  const several = (now.nodes ?? 0) > 1;
  const watched = several && !done.includes('chaos');
  const { data } = useQuery(
    watched ? 'what happened to the cluster' : undefined,
    (signal) => get<ListClusterEventsResponseJson>('/v1/cluster/events', { limit: 1000 }, signal), 5_000,
  );
  const unheard = (data?.events ?? []).some(({ kind }) => kind === 'unreachable');
  useEffect(() => {
    if (called) markDone('call'); // what stores nothing is in the figures of a few minutes only
    if (several) markDone('node');
    if (unheard) markDone('chaos');
  }, [called, several, unheard]);
}

function stepsOf({ now, services, newest }: StepsProps, done: string[]): Step[] {
  const stored = services.some(isStored);
  const steps: Step[] = [
    {
      key: 'ready', title: 'Have a user function', done: isCallable(now.userFunction?.state),
      body: <p>The emulator starts yours, or finds it where it listens. It asks it which services it has, and serves them to clients.</p>,
    },
    { key: 'call', title: 'Make a first call', done: done.includes('call'), body: <FirstCall services={services} client={now.clientAddress ?? ''} /> },
    { key: 'see', title: stored ? 'See what it stored' : 'See what it did', done: done.includes('see'), body: <See services={services} newest={newest} /> },
  ];
  // The others change something or call the user function.
  if (now.readOnly) return steps;
  if (stored) steps.push({ key: 'travel', title: 'Travel in time', done: done.includes('travel'), body: <Travel newest={newest} /> });
  return [
    ...steps,
    {
      key: 'node', title: 'Add a node', done: done.includes('node'),
      body: (
        <>
          <p>Deployed services run on several nodes. Add one here: entities are spread over both, and clients notice nothing.</p>
          <CliCommand words={['nodes', 'add']} />
          <LinkButton href={href(['cluster'])} icon="cluster">Cluster</LinkButton>
        </>
      ),
    },
    {
      key: 'chaos', title: 'Break something', done: done.includes('chaos'),
      body: (
        <>
          <p>Cut two nodes off from each other, look who still answers, and heal the network again.</p>
          <CliCommand words={['network', 'partition', '1/2']} />
          <CliCommand words={['network', 'heal']} />
          <LinkButton href={href(['cluster'])} icon="cut">Cluster</LinkButton>
        </>
      ),
    },
  ];
}

function FirstCall({ services, client }: { services: ServiceJson[]; client: string }) {
  const service = services.find(isStored) ?? services[0];
  const method = writeMethod(service);
  if (service === undefined || method === undefined) return <p>Once the user function is ready, a call to paste stands here.</p>;
  const call = { service: service.name ?? '', method: method.name ?? '', messages: [inputFor(method, 'me')], headers: [] };
  const line = curlLine(call, method, client);
  return (
    <>
      <p>
        {line === undefined ? <>Call <code>{method.name}</code> with a form:</> : <>Paste this into a terminal, or fill in a form:</>}
      </p>
      {line !== undefined && <Command text={line} />}
      <LinkButton href={href(['try', call.service, call.method])} icon="try">Try it</LinkButton>
    </>
  );
}

function See({ services, newest }: { services: ServiceJson[]; newest: EventJson | undefined }) {
  if (newest !== undefined) {
    const { persistenceId = '', entityId = '' } = newest;
    return (
      <>
        <p>Each event of an entity, and the command that caused it.</p>
        <LinkButton href={href(['entities', persistenceId, entityId])} icon="entities">{entityId}</LinkButton>
      </>
    );
  }
  if (services.some(isStored)) return <p>After the first call, a link to what it stored stands here.</p>;
  if (services.some(isCrdt)) {
    return (
      <>
        <p>Open a CRDT: its value on each node, and what is on its way between them.</p>
        <LinkButton href={href(['crdts'])} icon="crdts">CRDTs</LinkButton>
      </>
    );
  }
  return (
    <>
      <p>Open a call: each step on its way, with the messages.</p>
      <LinkButton href={href(['calls'])} icon="calls">Calls</LinkButton>
    </>
  );
}

function Travel({ newest }: { newest: EventJson | undefined }) {
  if (newest === undefined) return <p>Once something is stored, a link into its past stands here.</p>;
  const { persistenceId = '', entityId = '', sequence } = newest;
  return (
    <>
      <p>Ask an entity what it would have answered after any of its events. Nothing is changed by that.</p>
      <LinkButton href={href(['entities', persistenceId, entityId], { at: sequence, view: 'travel' })} icon="clock">Time travel</LinkButton>
    </>
  );
}
