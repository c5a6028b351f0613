// The same as the picture, as tables.
import type { NodeJson } from '../../api/contract';
import { setQuery } from '../../router';
import { Dot } from '../../ui/basics';
import { formatBytes, formatCount, formatRate, num } from '../../ui/format';
import { nodeState, nodeTone } from '../../ui/node_state';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import { type Cluster, linkText, linkTone, type Pair } from './data';
import type { Selection } from './picture';

const NODES: Column<NodeJson>[] = [
  { key: 'node', title: 'Node', width: '60px', render: ({ node }) => node },
  {
    key: 'state', title: 'State', width: 'minmax(150px, 1.6fr)',
    render: (node) => (
      <>
        <Dot tone={nodeTone(node)} label={nodeState(node)} /> {nodeState(node)}
        {node.coordinator && ', coordinator'}
      </>
    ),
  },
  { key: 'life', title: 'Life', width: '50px', numeric: true, render: ({ incarnation }) => incarnation },
  { key: 'age', title: 'Age', width: '50px', numeric: true, render: ({ age }) => num(age) || '–' },
  { key: 'shards', title: 'Shards', width: '70px', numeric: true, render: ({ shards }) => shards ?? 0 },
  { key: 'entities', title: 'Entities', width: '76px', numeric: true, render: ({ activeEntities }) => formatCount(num(activeEntities)) },
  { key: 'calls', title: 'Calls', width: '60px', numeric: true, render: ({ openCalls }) => formatCount(num(openCalls)) },
  { key: 'deaf', title: 'Does not hear', width: 'minmax(112px, 1fr)', render: ({ unreachable = [] }) => unreachable.join(', ') || '–' },
];

const direction = (pair: Pair, way: 'there' | 'back') => (
  <>
    <Dot tone={linkTone(pair[way])} label={linkText(pair[way])} /> {linkText(pair[way])}
  </>
);

const LINKS: Column<Pair>[] = [
  { key: 'link', title: 'Link', width: '84px', render: ({ a, b }) => `${a} ↔ ${b}` },
  { key: 'there', title: 'There', width: 'minmax(110px, 1fr)', render: (pair) => direction(pair, 'there') },
  { key: 'back', title: 'Back', width: 'minmax(110px, 1fr)', render: (pair) => direction(pair, 'back') },
  { key: 'rate', title: 'Arrive', width: '84px', numeric: true, render: ({ rates }) => (rates ? formatRate(rates.there + rates.back) : '–') },
  { key: 'bytes', title: 'Bytes', width: '84px', numeric: true, render: ({ there, back }) => formatBytes(num(there.sentBytes) + num(back.sentBytes)) },
  { key: 'lost', title: 'Lost', width: '70px', numeric: true, render: ({ there, back }) => formatCount(num(there.lost) + num(back.lost)) },
];

export function TableView({ cluster, selection }: { cluster: Cluster; selection: Selection }) {
  const at = (index: number) => (index < 0 ? {} : { selected: index });
  return (
    <div class="cl-tables">
      <h2>Nodes</h2>
      <VirtualTable
        label="Nodes" columns={NODES} count={cluster.nodes.length} row={(i) => cluster.nodes[i]} rowKey={({ node = 0 }) => node} mostRows={8}
        onSelect={(_, { node = 0 }) => setQuery({ node, link: null, shard: null })} {...at(cluster.nodes.findIndex(({ node }) => node === selection.node))}
      />
      <h2>Links</h2>
      <VirtualTable
        label="Links" columns={LINKS} count={cluster.pairs.length} row={(i) => cluster.pairs[i]} rowKey={({ key }) => key} mostRows={10} empty="A node alone has none."
        onSelect={(_, { key }) => setQuery({ link: key, node: null, shard: null })} {...at(cluster.pairs.findIndex(({ key }) => key === selection.link))}
      />
    </div>
  );
}
