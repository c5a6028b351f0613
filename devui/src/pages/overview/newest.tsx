// The newest events and the last calls that failed. Both are asked for again after each second in which there were some: however
// many there are, this page costs a few rows a second.
import { useEffect } from 'preact/hooks';
import type { CommandTraceJson, EventJson, ListCommandsResponseJson, ListNewestEventsResponseJson, SampleJson, StatusJson } from '../../api/contract';
import { get } from '../../api/client';
import { href } from '../../router';
import { type QueryResult, useQuery } from '../../state/use_query';
import { Card, CodeBadge, EntityLink, ErrorBox, Loading, Time, go } from '../../ui/basics';
import { num, shortName } from '../../ui/format';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import { eventsOf } from '../metrics/figures';

const ROWS = 10;
const BACKSTOP_MS = 15_000;

export function useNewestEvents(shown: SampleJson[], now: StatusJson | undefined): QueryResult<EventJson[]> {
  const query = useQuery(
    'newest events',
    async (signal) => ((await get<ListNewestEventsResponseJson>('/v1/events', { limit: ROWS }, signal)).events ?? []).reverse(), BACKSTOP_MS,
  );
  const last = shown.at(-1);
  const time = last !== undefined && eventsOf(last, { service: '', entity: '' }) > 0 ? last.time : '';
  useEffect(query.reload, [time, now?.storedEvents]);
  return query;
}

export function useFailedCalls(shown: SampleJson[]): QueryResult<CommandTraceJson[]> {
  const query = useQuery(
    'failed calls',
    async (signal) => (await get<ListCommandsResponseJson>('/v1/commands', { 'filter.failed_only': true, limit: ROWS }, signal)).commands ?? [], BACKSTOP_MS,
  );
  const last = shown.at(-1);
  const time = num(last?.calls?.failed) > 0 ? last?.time : '';
  useEffect(query.reload, [time]);
  return query;
}

const EVENTS: Column<EventJson>[] = [
  { key: 'time', title: 'Time', width: '118px', render: ({ time }) => <Time time={time} /> },
  { key: 'entity', title: 'Entity', width: 'minmax(120px, 1.4fr)', render: ({ persistenceId, entityId, sequence }) => <EntityLink persistenceId={persistenceId} entityId={entityId} at={num(sequence)} /> },
  { key: 'sequence', title: 'No.', width: '64px', numeric: true, render: ({ sequence }) => sequence },
  { key: 'event', title: 'Event', width: 'minmax(90px, 1fr)', render: ({ payload }) => <span title={payload?.typeUrl}>{shortName(payload?.typeUrl)}</span> },
];

export function NewestEvents({ query: { data, error, reload } }: { query: QueryResult<EventJson[]> }) {
  return (
    <Card title="Newest events" class="newest" actions={<a href={href(['entities'])}>All entities</a>}>
      {error ? <div class="card-body"><ErrorBox error={error} onRetry={reload} /></div> : data === undefined ? <Loading what="events" /> : (
        <VirtualTable
          label="Newest events" columns={EVENTS} count={data.length} row={(i) => data[i]} rowKey={({ position }) => position ?? ''} mostRows={ROWS}
          onOpen={(_, { persistenceId = '', entityId = '', sequence }) => go(['entities', persistenceId, entityId], { at: sequence })}
          empty={<p class="muted">Nothing is stored yet. What entities store appears here as it is committed.</p>}
        />
      )}
    </Card>
  );
}

const FAILED: Column<CommandTraceJson>[] = [
  { key: 'time', title: 'Time', width: '118px', render: ({ started }) => <Time time={started} /> },
  {
    key: 'call', title: 'Call', width: 'minmax(110px, 1fr)',
    render: ({ traceId, service, method, entityId }) => (
      <a href={href(['calls', traceId ?? ''])} title={`${service}.${method} ${entityId}`}>{method} {entityId}</a>
    ),
  },
  { key: 'why', title: 'Why', width: 'minmax(150px, 2fr)', render: ({ code, message }) => <span title={message}><CodeBadge code={code} /> {message}</span> },
];

export function FailedCalls({ query: { data, error, reload } }: { query: QueryResult<CommandTraceJson[]> }) {
  return (
    <Card title="Last failed calls" class="newest" actions={<a href={href(['calls'], { failed: 1 })}>All failed calls</a>}>
      {error ? <div class="card-body"><ErrorBox error={error} onRetry={reload} /></div> : data === undefined ? <Loading what="calls" /> : (
        <VirtualTable
          label="Last failed calls" columns={FAILED} count={data.length} row={(i) => data[i]} rowKey={({ traceId }) => traceId ?? ''} mostRows={ROWS}
          onOpen={(_, { traceId = '' }) => go(['calls', traceId])}
          empty={<p class="muted">No call has failed. Those that do stand here with the reason, and a click shows each step.</p>}
        />
      )}
    </Card>
  );
}
