// One call: what it was, where its time went, and what it left behind.
import { useMemo, useState } from 'preact/hooks';
import { get, path } from '../../api/client';
import type { CommandTraceJson } from '../../api/contract';
import { href, setQuery, useRoute } from '../../router';
import { type QueryResult, useQuery } from '../../state/use_query';
import { Badge, Button, Card, CodeBadge, EmptyState, ErrorBox, LinkButton, Loading, Stat, Stats, Time } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { durationMs, formatDuration, num, plural, timeMs } from '../../ui/format';
import { type CallCommand, callName, callTree, type CallTree } from './call_tree';
import { errorWords } from './error_words';
import { StepTable } from './step_table';
import { useEntityHref } from '../../state/services';
import { Waterfall } from './waterfall';

// Side effects may go on for a while after the answer.
const YOUNG_MS = 3_000;

export function useCall(trace: string): QueryResult<CommandTraceJson> {
  const [young, setYoung] = useState(true);
  return useQuery(`call ${trace}`, async (signal) => {
    const call = await get<CommandTraceJson>(path`/v1/commands/${trace}`, {}, signal);
    setYoung(call.open === true || Date.now() - timeMs(call.started) - durationMs(call.duration) < YOUNG_MS);
    return call;
  }, young ? 1_000 : undefined);
}

export const titleOf = (call: CommandTraceJson | undefined, trace: string) =>
  call === undefined ? trace : callName(call.service, call.method);

export const againHref = (call: CommandTraceJson) => href(['try', call.service ?? '', call.method ?? ''], { call: call.traceId });

export function CallView({ trace, loaded }: { trace: string; loaded: QueryResult<CommandTraceJson> }) {
  const { data: call, error, reload } = loaded;
  if (error?.code === 'NOT_FOUND' && call === undefined) return <Gone trace={trace} />;
  if (error && call === undefined) return <ErrorBox error={error} onRetry={reload} />;
  if (call === undefined) return <Loading what="the call" />;
  return <LoadedCall call={call} />;
}

function Gone({ trace }: { trace: string }) {
  return (
    <EmptyState icon="clock" title="This call is no longer kept">
      <p>
        The emulator keeps the newest calls only, and none beyond its end. <code>{trace}</code> is not among them. What it stored is
        still there: each event of an entity tells which command it came from.
      </p>
      <p class="toolbar toolbar-centered"><LinkButton icon="calls" href={href(['calls'])}>The newest calls</LinkButton><LinkButton icon="entities" href={href(['entities'])}>Entities</LinkButton></p>
    </EmptyState>
  );
}

function LoadedCall({ call }: { call: CommandTraceJson }) {
  const tree = useMemo(() => callTree(call), [call]);
  const asked = useRoute().query.get('command');
  const chosen = tree.commands.find(({ index }) => String(index) === asked)?.index;
  const choose = (command: number | undefined) => setQuery({ command: command ?? null });
  return (
    <div class="call">
      <Head call={call} />
      {(call.code ?? 0) !== 0 && <Failure call={call} />}
      <Card title="Where its time went" label="Where its time went" class="call-time">
        <Waterfall tree={tree} chosen={chosen} onChoose={choose} />
      </Card>
      <Left tree={tree} />
      <Card
        title={chosen === undefined ? plural(tree.steps.length, 'step') : 'Steps of one command'} label="Steps of the call"
        actions={chosen !== undefined && <Button small onClick={() => choose(undefined)}>Show all</Button>}
      >
        <StepTable tree={tree} chosen={chosen} dropped={num(call.droppedSteps)} />
      </Card>
    </div>
  );
}

// Of others that are open, the client has its answer already.
const isUnderWay = (call: CommandTraceJson) => call.open === true && (call.code ?? 0) === 0;

function Head({ call }: { call: CommandTraceJson }) {
  const entityHref = useEntityHref()(call.service ?? '', call.entityId ?? '');
  return (
    <div class="call-head">
      <Stats>
        <Stat label="Status">{isUnderWay(call) ? <Badge tone="accent">under way</Badge> : <CodeBadge code={call.code} />}</Stat>
        <Stat label={isUnderWay(call) ? 'So far' : 'Duration'}>{formatDuration(durationMs(call.duration))}</Stat>
        {call.entityId && (
          <Stat label="Entity">{entityHref ? <a href={entityHref}>{call.entityId}</a> : call.entityId}</Stat>
        )}
        <Stat label="Started"><Time time={call.started} /></Stat>
        <Stat label="Node">{call.node || 'none'}</Stat>
        <Stat label="Via" title={`From ${call.peer}`}>{call.protocol} <span class="muted call-peer">{call.peer}</span></Stat>
      </Stats>
      <CliCommand words={['calls', 'show', call.traceId ?? '']} />
    </div>
  );
}

const Failure = ({ call }: { call: CommandTraceJson }) => (
  <div class="call-failure" role="note">
    <strong>{call.message || 'No text came with this failure.'}</strong>
    <span>{errorWords(call.code)}</span>
  </div>
);

// What is there to see now that was not before.
function Left({ tree }: { tree: CallTree }) {
  const entityHref = useEntityHref();
  const stored = tree.commands.filter((each) => each.stored.length > 0);
  if (stored.length === 0) return null;
  return (
    <Card title="What it stored" label="What it stored">
      <ul class="call-stored">
        {stored.map((command) => <Stored key={command.index} command={command} to={entityHref(command.service, command.entityId, command.stored.at(-1)?.sequence)} />)}
      </ul>
    </Card>
  );
}

const Stored = ({ command, to }: { command: CallCommand; to: string | undefined }) => (
  <li>
    {to ? <a href={to}>{command.entityId}</a> : <span>{command.entityId}</span>}
    <span class="muted">{command.stored.map(({ text }) => text).join(', ')}, by {callName(command.service, command.method)}</span>
  </li>
);
