// Calls that have been under way for a while: streams, mostly. They come to the list below when they end.
import { get, type Query } from '../../api/client';
import type { ListCommandsResponseJson } from '../../api/contract';
import { setQuery } from '../../router';
import { useQuery } from '../../state/use_query';
import { durationMs, formatDuration } from '../../ui/format';
import { callName } from './call_tree';

const EVERY_MS = 1_000;
const MOST = 20;

export function OpenCalls({ filter }: { filter: Query }) {
  const query: Query = { ...filter, 'filter.open': true, 'filter.at_least': filter['filter.at_least'] ?? '1s', limit: MOST + 1, brief: true };
  const { data } = useQuery<ListCommandsResponseJson>(
    JSON.stringify(query), (signal) => get('/v1/commands', query, signal), EVERY_MS,
  );
  const calls = data?.commands ?? [];
  if (calls.length === 0) return null;
  return (
    <section class="card calls-open" aria-label="Calls under way">
      <h2>Under way</h2>
      <ul>
        {calls.slice(0, MOST).map((call) => (
          <li key={call.traceId}>
            <button type="button" class="link" onClick={() => setQuery({ call: call.traceId ?? null, command: null })}>{callName(call.service, call.method)}</button>
            {call.entityId && <span>{call.entityId}</span>}
            <span class="muted">for {formatDuration(durationMs(call.duration))}</span>
          </li>
        ))}
        {calls.length > MOST && <li class="muted">and more</li>}
      </ul>
    </section>
  );
}
