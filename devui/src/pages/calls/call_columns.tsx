// What the tail shows of a call. A row's cells are made once: what is the same object again is not looked at again.
import type { ComponentChildren } from 'preact';
import { codeName, durationMs, formatDuration, formatTime, plural, shortName } from '../../ui/format';
import type { Column } from '../../ui/virtual_table';
import type { TailRow } from './tail';

function once(render: (row: TailRow) => ComponentChildren): (row: TailRow) => ComponentChildren {
  const made = new WeakMap<TailRow, ComponentChildren>();
  return (row) => {
    let cell = made.get(row);
    if (cell === undefined) {
      cell = render(row);
      made.set(row, cell);
    }
    return cell;
  };
}

// From 10 µs to 10 s, each tenfold as long as the one before.
const share = (ms: number) => Math.min(1, Math.max(0.03, Math.log10(Math.max(ms, 0.01) / 0.01) / 6));

function DurationBar({ ms }: { ms: number }) {
  return (
    <span class="duration">
      <span>{formatDuration(ms)}</span>
      <span class="duration-track" aria-hidden="true"><span style={{ width: `${share(ms) * 100}%` }} /></span>
    </span>
  );
}

const COLUMNS: Column<TailRow>[] = [
  { key: 'time', title: 'Time', width: '112px', render: once(({ call }) => <span class="mono muted" title={call.started}>{formatTime(call.started)}</span>) },
  {
    key: 'method', title: 'Method', width: 'minmax(150px, 2fr)',
    render: once(({ call }) => (
      <span title={`${call.service}.${call.method}`}>
        <span class="muted calls-service">{shortName(call.service)}.</span><strong class="calls-method">{call.method}</strong>
        {' '}
        {(call.caused?.length ?? 0) > 0 && (
          <span class="calls-more" title={`It set off ${plural(call.caused!.length, 'more command')}`}>+{call.caused!.length}</span>
        )}
      </span>
    )),
  },
  { key: 'entity', title: 'Entity', width: 'minmax(80px, 1fr)', render: once(({ call }) => <span title={call.entityId}>{call.entityId}</span>) },
  { key: 'protocol', title: 'Via', width: '64px', render: once(({ call }) => <span class="muted">{call.protocol}</span>) },
  { key: 'node', title: 'Node', width: '56px', render: once(({ call }) => <span class="muted">{call.node ?? ''}</span>) },
  { key: 'duration', title: 'Duration', width: '150px', numeric: true, render: once(({ call }) => <DurationBar ms={durationMs(call.duration)} />) },
  {
    key: 'status', title: 'Status', width: 'minmax(110px, 1.4fr)',
    render: once(({ call }) => ((call.code ?? 0) === 0
      ? <span class="calls-ok">OK</span>
      : <span title={call.message}><strong>{codeName(call.code)}</strong> {call.message}</span>)),
  },
];

export const rowKey = ({ number }: TailRow) => number;
export const rowClass = ({ call }: TailRow) => ((call.code ?? 0) === 0 ? '' : 'row-bad');

// What there is no room for goes: first the way and the node, then the time. The status stays.
const NARROW: Record<string, string> = { method: 'minmax(72px, 2fr)', entity: 'minmax(48px, 1fr)', duration: '78px', status: 'minmax(112px, 1.4fr)' };
const without = (...left: string[]) =>
  COLUMNS.filter(({ key }) => !left.includes(key)).map((each) => ({ ...each, width: NARROW[each.key] ?? each.width }));
const FEW_COLUMNS = without('protocol', 'node');
const FEWEST_COLUMNS = without('protocol', 'node', 'time');

// `width` is the table's, in pixels.
export function columnsFor(width: number): Column<TailRow>[] {
  if (width >= 820) return COLUMNS;
  return width >= 480 ? FEW_COLUMNS : FEWEST_COLUMNS;
}
