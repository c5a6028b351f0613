// What the nodes decided and what was done to them.
import { setQuery } from '../../router';
import { Select, type Tone } from '../../ui/basics';
import { EventCard } from '../../ui/event_card';

const TONES: Record<string, Tone> = { steered: 'accent', unreachable: 'bad', reachable: 'good', missed: 'warn' };

export const EventsCard = ({ nodes, of, onEvents }: { nodes: number[]; of: number; onEvents: () => void }) => (
  <EventCard
    title="Events" label="Cluster events" class="cl-events" to="/v1/cluster/events:watch" query={{ newest: 200 }} tones={TONES} of={of}
    empty="What the nodes decide, and what is done to them, will be told here." onEvents={onEvents}
    onOpen={(node) => setQuery({ node, link: null, shard: null })}
    actions={
      <Select
        label="Events of" value={String(of)} onChange={(value) => setQuery({ of: value === '0' ? null : value })}
        options={[{ value: '0', title: 'of all nodes' }, ...nodes.map((node) => ({ value: String(node), title: `of node ${node}` }))]}
      />
    }
  />
);
