// What happens to an entity's replicas, as it happens, newest first.
import { useState } from 'preact/hooks';
import type { CrdtEventJson } from '../../api/contract';
import { useWatch } from '../../state/use_watch';
import { Badge, Button, Card, Time, type Tone } from '../../ui/basics';
import { type Column, VirtualTable } from '../../ui/virtual_table';

const KEPT = 500;

type Row = CrdtEventJson & { place: number };
let last = 0;

const TONES: Record<string, Tone> = { written: 'accent', deleted: 'bad', 'timed out': 'bad', differs: 'warn', missed: 'warn', joined: 'good', confirmed: 'good' };

const COLUMNS: Column<Row>[] = [
  { key: 'time', title: 'Time', width: '118px', render: ({ time }) => <Time time={time} /> },
  { key: 'node', title: 'Node', width: '70px', render: ({ node }) => (node ? `node ${node}` : '') },
  { key: 'kind', title: 'What', width: '122px', render: ({ kind }) => <Badge tone={TONES[kind ?? ''] ?? 'neutral'}>{kind}</Badge> },
  { key: 'text', title: 'Told', width: 'minmax(240px, 1fr)', render: ({ text }) => <span title={text}>{text}</span> },
];

export function Happenings({ persistenceId, entityId, onEvents }: { persistenceId: string; entityId: string; onEvents: () => void }) {
  const [rows, setRows] = useState<Row[]>([]);
  const [held, setHeld] = useState(false);
  const state = useWatch<CrdtEventJson>('/v1/crdts:watch', { persistence_id: persistenceId, entity_id: entityId }, (batch) => {
    onEvents();
    if (held) return;
    const added = batch.slice(-KEPT).map((event) => ({ ...event, place: ++last })).reverse();
    setRows((kept) => [...added, ...kept].slice(0, KEPT));
  });
  return (
    <Card
      title="What happens" label="What happens" class="crdt-happenings"
      actions={
        <>
          {held && <span class="muted">held</span>}
          <Button small icon={held ? 'play' : 'pause'} pressed={held} onClick={() => setHeld(!held)}>Hold</Button>
        </>
      }
    >
      <VirtualTable
        label="What happens to the replicas" columns={COLUMNS} count={rows.length} row={(i) => rows[i]} rowKey={({ place }) => place}
        empty={<p class="muted">{state === 'open' ? 'Nothing since this page was opened. Write to the entity, and each step of it is told here.' : 'Connecting…'}</p>}
      />
    </Card>
  );
}
