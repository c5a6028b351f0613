// #/cluster?node=2&link=1-3&shard=17&view=shards: nodes, links and shards, and how to disturb them. `part=1,2/3` puts a partition
// together, `sight` is whose shards are shown, `of` whose events.
import { useEffect } from 'preact/hooks';
import { type Route, setQuery } from '../../router';
import { addNode, heal } from '../../state/steering';
import { useSoon } from '../../state/use_soon';
import { Button, Card, EmptyState, ErrorBox, Loading, Page, Tabs } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { DeedButton } from '../../ui/deed';
import { plural } from '../../ui/format';
import { isTyping } from '../../ui/keyboard';
import '../../styles/cluster.css';
import { type Cluster, useCluster } from './data';
import { EventsCard } from './events_card';
import { LinkPanel } from './link_panel';
import { NodePanel } from './node_panel';
import { Picture, type Selection } from './picture';
import { ShardPanel, ShardsView, useShards } from './shards_view';
import { TableView } from './table_view';
import { choiceOf, cycle, PartitionPanel, WholePanel } from './whole_panel';

const numberOf = (route: Route, name: string): number | undefined => {
  const value = route.query.get(name);
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
};

export function ClusterPage({ route }: { route: Route }) {
  const { data, error, reload } = useCluster();
  return (
    <Page title={<>Cluster {data && <span class="cl-summary">{summary(data)}</span>}</>} label="Cluster" wide actions={data && <Actions cluster={data} done={reload} />}>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {data ? <Body route={route} cluster={data} reload={reload} /> : !error && <Loading what="the cluster" />}
    </Page>
  );
}

function summary({ nodes, groups }: Cluster): string {
  const up = nodes.filter(({ state, paused }) => state === 'up' && !paused).length;
  const all = up === nodes.length ? `${plural(nodes.length, 'node')}, all up` : `${up} of ${plural(nodes.length, 'node')} up`;
  return groups.length > 1 ? `${all}; parted ${groups.map((group) => group.join(',')).join(' | ')}` : all;
}

const isDisturbed = ({ pairs }: Cluster) => pairs.some(({ there, back }) => there.cut || back.cut);

const Actions = ({ cluster, done }: { cluster: Cluster; done: () => void }) => (
  <>
    {isDisturbed(cluster) && <DeedButton deed={heal()} done={done} icon="heal" kind="primary">Heal</DeedButton>}
    <DeedButton deed={addNode()} done={done} icon="plus">Add node</DeedButton>
  </>
);

function Body({ route, cluster, reload }: { route: Route; cluster: Cluster; reload: () => void }) {
  const view = ['shards', 'table'].find((each) => each === route.query.get('view')) ?? 'picture';
  const part = route.query.get('part');
  const node = numberOf(route, 'node');
  const shard = numberOf(route, 'shard');
  const link = route.query.get('link') ?? undefined;
  const sight = numberOf(route, 'sight') ?? 0;
  const shards = useShards(sight, view === 'shards' || shard !== undefined);
  const choice = part === null ? undefined : choiceOf(part, cluster);
  const selection: Selection = { ...(node === undefined ? {} : { node }), ...(link === undefined ? {} : { link }) };
  const done = () => {
    reload();
    shards.reload();
  };
  const soon = useSoon(done);
  const open = choice !== undefined || node !== undefined || link !== undefined || shard !== undefined;
  useEscape(open);
  const select = (changes: { node?: number; link?: string }) => setQuery({ node: null, link: null, shard: null, ...changes });
  const clickNode = (number: number) => {
    if (choice) setQuery({ part: cycle(choice, number) });
    else if (node === number) select({});
    else select({ node: number });
  };
  return (
    <div class="cl-layout">
      <div class="cl-main">
        <Card class="cl-views">
          <Tabs label="Views of the cluster" active={view} tabs={[{ key: 'picture', title: 'Picture' }, { key: 'shards', title: 'Shards' }, { key: 'table', title: 'Table' }]}>
            {view === 'shards' ? (
              <ShardsView shards={shards} cluster={cluster} selected={shard} node={node} sight={sight} />
            ) : view === 'table' ? (
              <TableView cluster={cluster} selection={selection} />
            ) : cluster.nodes.length < 2 ? (
              <Alone done={done} />
            ) : (
              <Picture cluster={cluster} selection={selection} choice={choice} onNode={clickNode} onLink={(key) => select(link === key ? {} : { link: key })} />
            )}
          </Tabs>
        </Card>
        <EventsCard nodes={cluster.nodes.map((each) => each.node ?? 0)} of={numberOf(route, 'of') ?? 0} onEvents={soon} />
      </div>
      <Card
        class="cl-side" label="Selection" title={choice ? 'Divide the network' : node ? `Node ${node}` : link ? `Link ${link.replace('-', ' ↔ ')}` : shard !== undefined ? `Shard ${shard}` : 'Whole cluster'}
        actions={open && <Button kind="quiet" small icon="close" label="Close" onClick={close} />}
      >
        {choice ? <PartitionPanel choice={choice} done={done} />
        : node ? <NodePanel key={node} number={node} cluster={cluster} done={done} />
        : link ? <LinkPanel link={link} cluster={cluster} done={done} />
        : shard !== undefined ? <ShardPanel key={shard} shards={shards.data?.shards} number={shard} cluster={cluster} done={done} />
        : <WholePanel cluster={cluster} done={done} />}
      </Card>
    </div>
  );
}

const close = () => setQuery({ node: null, link: null, shard: null, part: null });

// Escape goes back to the whole.
function useEscape(active: boolean) {
  useEffect(() => {
    if (!active) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !isTyping(event.target) && !document.querySelector('dialog[open]')) close();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [active]);
}

const Alone = ({ done }: { done: () => void }) => (
  <EmptyState icon="cluster" title="One node is not a cluster yet">
    <p>
      With several nodes you see here who is up, which node has which entities, and what your service does when one ends, when the
      network is cut or slow. Start with more of them:
    </p>
    <CliCommand words={['run', '--nodes', '3']} />
    <p>or have more nodes join this one, now:</p>
    <p>
      <DeedButton deed={addNode()} done={done} icon="plus" kind="primary">Add a node</DeedButton>
    </p>
  </EmptyState>
);
