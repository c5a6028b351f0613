// What the nodes decided and what was done to them, as it happens, newest first.
import { useState } from 'preact/hooks';
import type { ClusterEventJson } from '../../api/contract';
import { setQuery } from '../../router';
import { useWatch } from '../../state/use_watch';
import { Badge, Card, Select, Time, type Tone } from '../../ui/basics';
import { type Column, VirtualTable } from '../../ui/virtual_table';

const KEPT = 500;

const TONES: Record<string, Tone> = { steered: 'accent', unreachable: 'bad', reachable: 'good', missed: 'warn' };

const COLUMNS: Column<ClusterEventJson>[] = [
  { key: 'time', title: 'Time', width: '118px', render: ({ time }) => <Time time={time} /> },
  { key: 'node', title: 'By', width: '76px', render: ({ node }) => (node ? `node ${node}` : <span class="muted">you</span>) },
  { key: 'kind', title: 'What', width: '102px', render: ({ kind }) => <Badge tone={TONES[kind ?? ''] ?? 'neutral'}>{kind}</Badge> },
  { key: 'text', title: 'Told', width: 'minmax(180px, 1fr)', render: ({ text }) => <span title={text}>{text}</span> },
];

const keyOf = ({ time, node, kind, text }: ClusterEventJson) => `${time} ${node} ${kind} ${text}`;

export function EventsCard({ nodes, of, onEvent }: { nodes: number[]; of: number; onEvent: () => void }) {
  const [events, setEvents] = useState<ClusterEventJson[]>([]);
  useWatch<ClusterEventJson>('/v1/cluster/events:watch', { newest: 200 }, (batch) => {
    setEvents((kept) => {
      // A watch that was opened again tells the newest ones once more.
      const known = new Set(kept.map(keyOf));
      return [...batch.filter((each) => !known.has(keyOf(each))).reverse(), ...kept].slice(0, KEPT);
    });
    onEvent();
  });
  const shown = of === 0 ? events : events.filter(({ node }) => node === of);
  return (
    <Card
      title="Events" label="Events" class="cl-events"
      actions={
        <Select
          label="Events of" value={String(of)} onChange={(value) => setQuery({ of: value === '0' ? null : value })}
          options={[{ value: '0', title: 'of all nodes' }, ...nodes.map((node) => ({ value: String(node), title: `of node ${node}` }))]}
        />
      }
    >
      <VirtualTable
        label="Cluster events" columns={COLUMNS} count={shown.length} row={(i) => shown[i]} rowKey={keyOf}
        empty={<p class="muted">What the nodes decide, and what is done to them, will be told here.</p>}
        onOpen={(_, { node }) => node && setQuery({ node, link: null, shard: null })}
      />
    </Card>
  );
}
