// What was decided and what came of it, newest first.
import { useMemo } from 'preact/hooks';
import type { ScalingEventJson } from '../../api/contract';
import { setQuery } from '../../router';
import { Select, Time } from '../../ui/basics';
import { plural } from '../../ui/format';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import { isTick, keyOf } from './data';
import { changeText, isChange, KindBadge, PhaseBadge, whyText } from './event_panel';

const KINDS = [
  { value: '', title: 'Everything' }, { value: 'decision', title: 'Decisions' }, { value: 'replica', title: 'Cold starts and drains' },
  { value: 'activator', title: 'Held calls' }, { value: 'set', title: 'Set by hand' },
];

const COLUMNS: Column<ScalingEventJson>[] = [
  { key: 'time', title: 'Time', width: '118px', render: ({ time }) => <Time time={time} /> },
  { key: 'kind', title: 'What', width: '98px', render: ({ kind }) => <KindBadge kind={kind} /> },
  { key: 'change', title: 'Wanted', width: '92px', render: (event) => <span class={isChange(event) ? 'sc-change' : 'muted'}>{changeText(event)}</span> },
  { key: 'ready', title: 'Ready', width: '62px', numeric: true, render: ({ ready }) => ready ?? 0 },
  { key: 'phase', title: 'Phase', width: '116px', render: ({ phase }) => <PhaseBadge phase={phase} /> },
  { key: 'text', title: 'Why', width: 'minmax(260px, 1fr)', render: (event) => <span title={event.text}>{whyText(event)}</span> },
];

interface DecisionsProps {
  events: ScalingEventJson[] | undefined;
  kind: string;
  at: string | null;
  onChoose: (event: ScalingEventJson) => void;
  // Enter: where its figures are.
  onOpen: () => void;
}

export function Decisions({ events, kind, at, onChoose, onOpen }: DecisionsProps) {
  const shown = useMemo(
    () => (events ?? []).filter((event) => !isTick(event) && (kind === '' || event.kind === kind)).reverse(), [events, kind]);
  const place = at === null ? -1 : shown.findIndex((event) => keyOf(event) === at);
  return (
    <div class="sc-decisions">
      <div class="toolbar">
        <Select label="Show" value={kind} options={KINDS} onChange={(value) => setQuery({ kind: value === '' ? null : value })} />
        <span class="muted" role="status">{events === undefined ? 'Loading…' : plural(shown.length, 'line')}</span>
      </div>
      <VirtualTable
        label="Decisions" columns={COLUMNS} count={shown.length} row={(i) => shown[i]} rowKey={(event) => `${keyOf(event)} ${event.text}`} mostRows={14}
        onSelect={(_, event) => onChoose(event)} onOpen={(_, event) => { onChoose(event); onOpen(); }}
        empty={<p class="muted">{kind === '' ? 'Nothing has been decided yet. The first line comes when other replicas are wanted.' : 'Nothing of this kind.'}</p>}
        {...(place < 0 ? {} : { selected: place })}
      />
    </div>
  );
}
