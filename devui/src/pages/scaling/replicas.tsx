// Those that are there in any state.
import type { ReplicaJson, UsageJson } from '../../api/contract';
import { href } from '../../router';
import { Ago, Dot, go } from '../../ui/basics';
import { durationMs, formatConcurrency, formatCount, formatDuration, formatRate, num } from '../../ui/format';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import { replicaTone } from './data';

// For one, on average.
const each = (usage: UsageJson | undefined): string =>
  num(usage?.count) === 0 ? '–' : formatDuration(durationMs(usage?.time) / num(usage?.count));

const rateOf = ({ load }: ReplicaJson): string => {
  const seconds = durationMs(load?.length) / 1_000;
  return seconds === 0 ? '–' : formatRate(num(load?.requests?.count) / seconds);
};

const COLUMNS: Column<ReplicaJson>[] = [
  { key: 'node', title: 'Node', width: '74px', render: ({ node = 0 }) => <a href={href(['cluster'], { node })}>node {node}</a> },
  { key: 'state', title: 'State', width: '106px', render: ({ state = '' }) => <><Dot tone={replicaTone(state)} label={state} /> {state}</> },
  { key: 'since', title: 'Since', width: '96px', render: ({ since }) => <Ago time={since} /> },
  { key: 'cold', title: 'Cold start', width: '92px', numeric: true, render: ({ coldStart }) => (coldStart === undefined ? '–' : formatDuration(durationMs(coldStart))) },
  { key: 'open', title: 'Open calls', width: '90px', numeric: true, render: ({ openCalls }) => formatCount(num(openCalls)) },
  { key: 'concurrency', title: 'Concurrency', width: '104px', numeric: true, render: ({ load }) => formatConcurrency(num(load?.requests?.concurrency)) },
  { key: 'rate', title: 'Calls', width: '80px', numeric: true, render: rateOf },
  { key: 'function', title: 'User function', width: '112px', numeric: true, render: ({ load }) => each(load?.userFunction) },
  { key: 'journal', title: 'Journal', width: '90px', numeric: true, render: ({ load }) => each(load?.journal) },
  { key: 'pid', title: 'Process', width: '84px', numeric: true, render: ({ pid }) => (num(pid) === 0 ? '–' : pid) },
  { key: 'address', title: 'Its user function', width: 'minmax(140px, 1fr)', render: ({ userFunctionAddress }) => <code title={userFunctionAddress}>{userFunctionAddress || '–'}</code> },
];

// What there is to say where there are none.
export const noneText = (mode: string | undefined): string =>
  mode === 'manual'
    ? 'No replica is there: scaled to zero. 0 are wanted by hand; calls are held until more are.'
    : 'No replica is there: scaled to zero. The next call is held until one is ready.';

export const Replicas = ({ replicas, mode }: { replicas: ReplicaJson[]; mode: string | undefined }) => (
  <>
    <VirtualTable
      label="Replicas" columns={COLUMNS} count={replicas.length} row={(i) => replicas[i]} rowKey={({ node = 0 }) => node} mostRows={14}
      onOpen={(_, { node = 0 }) => go(['cluster'], { node })}
      empty={<p class="muted">{noneText(mode)}</p>}
    />
    <p class="sc-note muted">
      Concurrency and calls are those of clients over the last interval of measuring. Times of user function and journal are for one command,
      on average.
    </p>
  </>
);
