// What nodes do or is done to them, as it happens, newest first. It can be held to be read.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Query } from '../api/client';
import { useWatch } from '../state/use_watch';
import { Badge, Button, Card, Time, type Tone } from './basics';
import { formatCount } from './format';
import { type Column, VirtualTable } from './virtual_table';

const KEPT = 500;

interface NodeEvent {
  time?: string;
  // 0 where no node did it.
  node?: number;
  kind?: string;
  text?: string;
}

// Numbered as they come.
type Row = NodeEvent & { place: number; key: string };

const keyOf = ({ time, node, kind, text }: NodeEvent) => `${time} ${node} ${kind} ${text}`;

interface EventCardProps {
  title: string;
  // Of the table.
  label: string;
  class: string;
  to: string;
  query: Query;
  tones: Record<string, Tone>;
  // Told while there is nothing.
  empty: string;
  // Only events of this node.
  of?: number;
  actions?: ComponentChildren;
  onEvents: () => void;
  onOpen?: (node: number) => void;
}

export function EventCard({ of = 0, onOpen, ...props }: EventCardProps) {
  const [rows, setRows] = useState<Row[]>([]);
  // What is shown while it is held.
  const [held, setHeld] = useState<Row[]>();
  const last = useRef(0);
  const state = useWatch<NodeEvent>(props.to, props.query, (batch) => {
    setRows((kept) => {
      // A watch that was opened again may tell the newest ones once more.
      const known = new Set(kept.map(({ key }) => key));
      const added = batch.slice(-KEPT).map((event) => ({ ...event, key: keyOf(event), place: ++last.current }));
      return [...added.filter(({ key }) => !known.has(key)).reverse(), ...kept].slice(0, KEPT);
    });
    props.onEvents();
  });
  const wanted = (list: Row[]) => (of === 0 ? list : list.filter(({ node }) => node === of));
  const shown = wanted(held ?? rows);
  const since = held === undefined ? Infinity : (held[0]?.place ?? 0);
  const fresh = wanted(rows).filter(({ place }) => place > since).length;
  return (
    <Card
      title={props.title} label={props.title} class={props.class}
      actions={
        <>
          {held && <span class="muted">{formatCount(fresh)}{fresh === KEPT ? ' or more' : ''} new</span>}
          <Button small icon={held ? 'play' : 'pause'} pressed={held !== undefined} onClick={() => setHeld(held ? undefined : rows)}>Hold</Button>
          {props.actions}
        </>
      }
    >
      <VirtualTable
        label={props.label} columns={columnsFor(props.tones)} count={shown.length} row={(i) => shown[i]} rowKey={({ place }) => place}
        empty={<p class="muted">{state === 'open' ? props.empty : 'Connecting…'}</p>}
        {...(onOpen ? { onOpen: (_: number, { node = 0 }: Row) => node !== 0 && onOpen(node) } : {})}
      />
    </Card>
  );
}

const columnsFor = (tones: Record<string, Tone>): Column<Row>[] => [
  { key: 'time', title: 'Time', width: '118px', render: ({ time }) => <Time time={time} /> },
  { key: 'node', title: 'By', width: '76px', render: ({ node, kind }) => (node ? `node ${node}` : kind === 'steered' && <span class="muted">you</span>) },
  { key: 'kind', title: 'What', width: '122px', render: ({ kind }) => <Badge tone={tones[kind ?? ''] ?? 'neutral'}>{kind}</Badge> },
  { key: 'text', title: 'Told', width: 'minmax(180px, 1fr)', render: ({ text }) => <span title={text}>{text}</span> },
];
