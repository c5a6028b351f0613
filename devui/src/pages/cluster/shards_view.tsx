// The hundred shards: whose they are.
import { useRef, useState } from 'preact/hooks';
import type { ListShardsResponseJson, ShardJson } from '../../api/contract';
import { get } from '../../api/client';
import { setQuery } from '../../router';
import { moveShard } from '../../state/steering';
import { useQuery } from '../../state/use_query';
import { ErrorBox, Loading, Select, Stat, Stats } from '../../ui/basics';
import { formatCount, num, plural } from '../../ui/format';
import { type Cluster, ownerColor } from './data';
import { DeedRow } from './deed_row';

const COLUMNS = 10;

// As node `sight` sees it; 0 for the coordinator.
export function useShards(sight: number, wanted: boolean) {
  return useQuery<ListShardsResponseJson>(wanted ? `shards ${sight}` : undefined, (signal) => get('/v1/shards', { node: sight || undefined }, signal), 1_000);
}

interface ShardsViewProps {
  shards: ReturnType<typeof useShards>;
  cluster: Cluster;
  selected: number | undefined;
  // Of this node, the shards stand out.
  node: number | undefined;
  sight: number;
}

export function ShardsView({ shards: { data, error, loading, reload }, cluster, selected, node, sight }: ShardsViewProps) {
  const shards = data?.shards ?? [];
  return (
    <div class="cl-shards">
      <div class="toolbar">
        <Select
          label="Whose sight" value={String(sight)} onChange={(value) => setQuery({ sight: value === '0' ? null : value })}
          options={[{ value: '0', title: 'As the coordinator sees it' }, ...cluster.nodes.map((each) => ({ value: String(each.node), title: `As node ${each.node} sees it` }))]}
        />
        <FindShard />
      </div>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {loading && data === undefined && !error && <Loading what="shards" />}
      {data !== undefined && (
        <>
          <Legend shards={shards} node={node} />
          <Grid shards={shards} selected={selected} node={node} />
        </>
      )}
    </div>
  );
}

function Legend({ shards, node }: { shards: ShardJson[]; node: number | undefined }) {
  const counts = new Map<number, number>();
  for (const { owner = 0 } of shards) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return (
    <ul class="cl-legend" aria-label="Owners">
      {[...counts].sort(([a], [b]) => a - b).map(([owner, count]) => (
        <li key={owner}>
          <button type="button" aria-pressed={node === owner} disabled={owner === 0} onClick={() => setQuery({ node: node === owner ? null : owner, link: null, shard: null })}>
            <span class="cl-swatch" style={{ background: owner === 0 ? 'transparent' : ownerColor(owner) }} />
            {owner === 0 ? 'nobody' : `node ${owner}`} <span class="muted">{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Grid({ shards, selected, node }: { shards: ShardJson[]; selected: number | undefined; node: number | undefined }) {
  const grid = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(selected ?? 0);
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS, Home: -active, End: shards.length - 1 - active };
    const next = active + (steps[event.key] ?? NaN);
    if (!(next >= 0 && next < shards.length) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setActive(next);
    grid.current?.querySelector<HTMLElement>(`[data-shard="${next}"]`)?.focus();
  };
  return (
    <div class="cl-grid" role="group" aria-label="Shards" ref={grid} onKeyDown={move}>
      {shards.map((shard, i) => {
        const { shard: number = 0, owner = 0, phase = '', target = 0 } = shard;
        return (
          <button
            type="button" key={number} data-shard={i} tabIndex={i === active ? 0 : -1} aria-pressed={number === selected}
            class={`cl-cell ${owner === 0 ? 'cl-cell-free' : `cl-cell-${phase}`} ${node !== undefined && owner !== node ? 'cl-cell-dim' : ''}`}
            style={{ '--owner': owner === 0 ? 'var(--border-strong)' : ownerColor(owner) }} title={shardSentence(shard)}
            onClick={() => {
              setActive(i);
              setQuery({ shard: number === selected ? null : number, node: null, link: null });
            }}
          >
            <span><span class="visually-hidden">Shard </span>{number}</span>
            <strong>{owner === 0 ? '–' : phase === 'owned' || target === 0 ? owner : `${owner}→${target}`}</strong>
          </button>
        );
      })}
    </div>
  );
}

const PHASES: Record<string, string> = { owned: 'owned', stopping: 'about to move', released: 'given away, on its way' };

const shardSentence = ({ shard = 0, owner = 0, phase = '', epoch, activeEntities, target = 0 }: ShardJson) =>
  owner === 0
    ? `Shard ${shard}: nobody's yet`
    : `Shard ${shard}: node ${owner}, ${PHASES[phase] ?? phase}${target ? ` to node ${target}` : ''}, epoch ${epoch}, ${plural(num(activeEntities), 'active entity', 'active entities')}`;

// Which shard an entity belongs to, as in the published proxy: Java's String.hashCode of its id.
function shardOf(entityId: string, count = 100): number {
  let hash = 0;
  for (let i = 0; i < entityId.length; ++i) hash = (Math.imul(hash, 31) + entityId.charCodeAt(i)) | 0;
  return Math.abs(hash % count);
}

function FindShard() {
  const [id, setId] = useState('');
  const find = (event: Event) => {
    event.preventDefault();
    if (id !== '') setQuery({ shard: shardOf(id), node: null, link: null });
  };
  return (
    <form class="cl-find" onSubmit={find}>
      <input data-search value={id} placeholder="Shard of the entity with the id…" aria-label="Find the shard of an entity id" spellcheck={false} onInput={(event) => setId(event.currentTarget.value)} />
      {id !== '' && <button type="submit" class="link">is in shard {shardOf(id)}</button>}
    </form>
  );
}

export function ShardPanel({ shards, number, cluster, done }: { shards: ShardJson[] | undefined; number: number; cluster: Cluster; done: () => void }) {
  const [chosen, setChosen] = useState<number>();
  const shard = shards?.find((each) => each.shard === number);
  if (shards === undefined) return <Loading what="the shard" />;
  if (shard === undefined) return <p class="cl-pad muted">There is no shard {number}.</p>;
  const others = cluster.nodes.filter(({ node, state }) => state === 'up' && node !== shard.owner).map(({ node = 0 }) => node);
  const to = chosen !== undefined && others.includes(chosen) ? chosen : others[0];
  return (
    <div class="cl-panel">
      <Stats>
        <Stat label="Owner">{shard.owner ? `node ${shard.owner}` : 'nobody'}</Stat>
        <Stat label="Its life">{num(shard.ownerIncarnation) || '–'}</Stat>
        <Stat label="Epoch" title="One more with each grant; the journal refuses writes under an older one">{num(shard.epoch)}</Stat>
        <Stat label="Entities" title="With a stream to the user function">{formatCount(num(shard.activeEntities))}</Stat>
      </Stats>
      {shard.phase !== 'owned' && (
        <p class="muted">
          It is {PHASES[shard.phase ?? ''] ?? "nobody's yet"}
          {shard.target ? `, to node ${shard.target}` : ''}.
        </p>
      )}
      <h3>What can be done</h3>
      <ul class="cl-deeds">
        <DeedRow
          deed={to === undefined ? undefined : moveShard(number, to)} why="No other node is up." done={done} icon="send"
          text="Its node lets each entity finish the command that it has, and stops it; the new owner replays them. Later the coordinator may move shards again, so that all have as many."
          field={others.length > 0 && <Select label="Move to" value={String(to)} onChange={(value) => setChosen(Number(value))} options={others.map((node) => ({ value: String(node), title: `node ${node}` }))} />}
        >
          Move
        </DeedRow>
      </ul>
    </div>
  );
}
