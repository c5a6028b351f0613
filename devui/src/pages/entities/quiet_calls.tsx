// What the time line has no event of: calls of the entity that stored nothing, such as reads and those that failed.
import { useRef, useState } from 'preact/hooks';
import type { CommandTraceJson, EntityJson, WatchCommandsResponseJson } from '../../api/contract';
import { href } from '../../router';
import { useWatch } from '../../state/use_watch';
import { plural } from '../../ui/format';

const NEWEST = 200;
const MOST_PER_SECOND = 20;

interface Quiet {
  calls: number;
  stored: number;
  failed: number;
}

// Whether one of the commands to this entity, the client's or one that it set off, has stored something.
function hasStored({ service, entityId, caused = [], steps = [] }: CommandTraceJson, entity: EntityJson): boolean {
  const commands = [{ service, entityId }, ...caused];
  return steps.some(({ kind, command = 0 }) =>
    kind === 'stored' && commands[command]?.service === entity.service && commands[command]?.entityId === entity.entityId);
}

// Of the newest calls by their traces: a watch that was opened again tells of the same ones.
export function quietOf(calls: Map<string, CommandTraceJson>, entity: EntityJson): Quiet {
  // Of a longer call the step that matters may be among those that are not kept.
  const quiet = [...calls.values()].filter((call) => Number(call.droppedSteps ?? 0) === 0 && !hasStored(call, entity));
  return { calls: calls.size, stored: calls.size - quiet.length, failed: quiet.filter(({ code = 0 }) => code !== 0).length };
}

export function QuietCalls({ entity }: { entity: EntityJson }) {
  const calls = useRef(new Map<string, CommandTraceJson>());
  const [{ calls: all, stored, failed }, setQuiet] = useState<Quiet>({ calls: 0, stored: 0, failed: 0 });
  const { service, entityId = '' } = entity;
  const filter = { 'filter.service': service, 'filter.entity_id': entityId, newest: NEWEST, most_per_second: MOST_PER_SECOND };
  // No filter is for the empty id.
  useWatch<WatchCommandsResponseJson>(entityId === '' ? undefined : '/v1/commands:watch', filter, (batch) => {
    for (const { command } of batch) {
      if (command?.traceId) calls.current.set(command.traceId, { ...command, steps: command.steps?.map(({ kind, command: index }) => ({ kind, command: index })) });
    }
    for (const old of calls.current.keys()) {
      if (calls.current.size <= NEWEST) break;
      calls.current.delete(old);
    }
    setQuiet(quietOf(calls.current, entity));
  });
  const quiet = all - stored;
  if (quiet === 0) return null;
  const what = quiet === failed ? 'failed and stored nothing' : failed > 0 ? `stored nothing, ${failed} of them failed` : 'stored nothing';
  return (
    <p class="quiet-calls">
      {quiet} of the newest {plural(all, 'call')} {what}.{' '}
      <a href={href(['calls'], { service, entity: entityId, failed: quiet === failed ? 1 : undefined })}>Show {quiet === failed ? 'failed calls' : 'calls'}</a>
    </p>
  );
}
