// Nodes as cards, links as lines between them, the groups of a partition apart from each other.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LinkStateJson, NodeJson } from '../../api/contract';
import { formatCount, formatRate, num, plural } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { nodeState, nodeTone } from '../../ui/node_state';
import { type Cluster, linkTone, ownerColor, type Pair, pairText, pairTone } from './data';
import { between, type Layout, layOut, type Point } from './layout';

export interface Selection {
  node?: number;
  // "1-3"
  link?: string;
}

interface PictureProps {
  cluster: Cluster;
  selection: Selection;
  onNode: (node: number) => void;
  onLink: (key: string) => void;
  // While a partition is put together: each node's group.
  choice?: Map<number, string> | undefined;
}

// More nodes stand in rows, without links.
const MOST_WITH_LINKS = 12;
// Of more nodes, links have a label only if something was done to them alone.
const MOST_WITH_LABELS = 4;
// Each moving dot is a layer of its own.
const MOST_WITH_TRAFFIC = 6;

export function Picture(props: PictureProps) {
  const { cluster, choice } = props;
  const place = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ width: number; height: number }>();
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setSize({ width: place.current!.clientWidth, height: place.current!.clientHeight }));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  const numbers = cluster.nodes.map(({ node = 0 }) => node);
  const rows = numbers.length > MOST_WITH_LINKS;
  const shape = JSON.stringify([numbers, cluster.groups, size]);
  const layout = useMemo(() => (size === undefined || rows ? undefined : layOut(numbers, cluster.groups, size.width, size.height)), [shape, rows]);
  return (
    <div class={`cl-picture ${rows ? 'cl-rows' : ''}`} ref={place} role="group" aria-label="Picture of the cluster">
      {rows && cluster.nodes.map((node) => <NodeCard key={node.node} node={node} {...props} />)}
      {layout && (
        <>
          {layout.regions.map((box, i) => (
            <div key={i} class="cl-region" style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}>
              <span>{cluster.groups[i]!.length === 1 ? `node ${cluster.groups[i]![0]} alone` : `nodes ${cluster.groups[i]!.join(', ')}`}</span>
            </div>
          ))}
          <Links {...props} layout={layout} size={size!} />
          {cluster.nodes.map((node) => (
            <NodeCard key={node.node} node={node} layout={layout} {...props} />
          ))}
          {choice === undefined && <LinkLabels {...props} layout={layout} />}
        </>
      )}
    </div>
  );
}

const path = ([from, to]: [Point, Point]) => `M${from.x.toFixed(1)} ${from.y.toFixed(1)}L${to.x.toFixed(1)} ${to.y.toFixed(1)}`;

function Links({ cluster, selection, onLink, layout, size }: PictureProps & { layout: Layout; size: { width: number; height: number } }) {
  const traffic = cluster.nodes.length <= MOST_WITH_TRAFFIC;
  const directions = cluster.pairs.flatMap((pair) => {
    const [a, b] = [layout.places.get(pair.a), layout.places.get(pair.b)];
    if (!a || !b) return [];
    return [
      { pair, link: pair.there, rate: pair.rates?.there ?? 0, ends: between(a, b, layout.card, 4) },
      { pair, link: pair.back, rate: pair.rates?.back ?? 0, ends: between(b, a, layout.card, 4) },
    ];
  });
  return (
    <>
      <svg class="cl-links" width={size.width} height={size.height} aria-hidden="true">
        <defs>
          {['good', 'warn', 'bad'].map((tone) => (
            <marker key={tone} id={`cl-arrow-${tone}`} class={`cl-arrow-${tone}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
              <path d="M1 1L7 4L1 7" />
            </marker>
          ))}
        </defs>
        {directions.map(({ pair, link, ends }) => (
          <g key={`${link.from}-${link.to}`} class={selection.link === pair.key ? 'cl-link-selected' : pair.idle || (pair.parted && cluster.nodes.length > MOST_WITH_LABELS) ? 'cl-link-faint' : ''} onClick={() => onLink(pair.key)}>
            <path class="cl-link-hit" d={path(ends)} />
            <path class={`cl-link cl-link-${linkTone(link)}`} d={path(ends)} marker-end={`url(#cl-arrow-${linkTone(link)})`} />
          </g>
        ))}
      </svg>
      {traffic && directions.map(({ link, rate, ends }) => rate > 0 && !link.cut && <Traffic key={`${link.from}-${link.to}`} link={link} rate={rate} ends={ends} />)}
    </>
  );
}

// A dot that travels along a line: the compositor moves it, no script does.
function Traffic({ rate, ends: [from, to] }: { link: LinkStateJson; rate: number; ends: [Point, Point] }) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const pace = rate < 10 ? 'slow' : rate < 200 ? 'brisk' : 'fast';
  return (
    <span class="cl-traffic" aria-hidden="true" style={{ width: `${length}px`, transform: `translate(${from.x}px, ${from.y}px) rotate(${angle}rad)` }}>
      <i class={`cl-traffic-${pace}`} />
    </span>
  );
}

function LinkLabels({ cluster, selection, onLink, layout }: PictureProps & { layout: Layout }) {
  const order = new Map(cluster.nodes.map(({ node = 0 }, i) => [node, i]));
  const count = cluster.nodes.length;
  return (
    <>
      {cluster.pairs.map((pair) => {
        const [a, b] = [layout.places.get(pair.a), layout.places.get(pair.b)];
        const tone = pairTone(pair);
        const hidden = (pair.idle && tone === 'good') || (count > MOST_WITH_LABELS && (tone === 'good' || pair.parted));
        if (!a || !b || (hidden && selection.link !== pair.key)) return null;
        // Of four nodes the lines that cross in the middle have their labels elsewhere.
        const apart = Math.abs(order.get(pair.a)! - order.get(pair.b)!);
        const [from, to] = between(a, b, layout.card, 0);
        const share = count !== 4 || apart !== 2 ? 0.5 : 0.34;
        const where = { left: `${from.x + (to.x - from.x) * share}px`, top: `${from.y + (to.y - from.y) * share}px` };
        return (
          <button
            type="button" key={pair.key} class={`cl-label cl-label-${tone}`} style={where} aria-pressed={selection.link === pair.key}
            aria-label={`Link between nodes ${pair.a} and ${pair.b}: ${pairSentence(pair)}`} onClick={() => onLink(pair.key)}
          >
            {tone === 'bad' && <Icon name="cut" />}
            {tone === 'good' && pair.rates ? formatRate(totalRate(pair)) : pairText(pair)}
          </button>
        );
      })}
    </>
  );
}

const totalRate = ({ rates }: Pair) => (rates?.there ?? 0) + (rates?.back ?? 0);
const pairSentence = (pair: Pair) => `${pairText(pair)}, ${formatRate(totalRate(pair))} messages`;

function NodeCard({ node, layout, selection, onNode, choice }: PictureProps & { node: NodeJson; layout?: Layout }) {
  const number = node.node ?? 0;
  const at = layout?.places.get(number);
  if (layout && !at) return null;
  const group = choice?.get(number);
  const compact = layout?.compact ?? true;
  const unreachable = node.unreachable ?? [];
  const where = at && { left: `${at.x - layout!.card.width / 2}px`, top: `${at.y - layout!.card.height / 2}px`, width: `${layout!.card.width}px`, height: `${layout!.card.height}px` };
  return (
    <button
      type="button" class={`cl-node cl-node-${nodeTone(node)} ${compact ? 'cl-node-compact' : ''}`} style={{ ...where, '--owner': ownerColor(number) }}
      aria-pressed={group === undefined ? selection.node === number : undefined} onClick={() => onNode(number)}
    >
      <span class="cl-node-head">
        <span class={`dot dot-${nodeTone(node)}`} aria-hidden="true" />
        <strong>Node {number}</strong>
        {node.coordinator && (
          <span class="cl-mark" title="Coordinator: allocates the shards">
            {compact && <span aria-hidden="true">★</span>}
            <span class={compact ? 'visually-hidden' : ''}>coordinator</span>
          </span>
        )}
        {group && <span class="cl-group"><span class="visually-hidden">group </span>{group}</span>}
      </span>
      <span class="cl-node-state">
        {nodeState(node)}
        {!compact && ` · life ${node.incarnation}`}
        {!compact && num(node.age) > 0 && ` · age ${node.age}`}
      </span>
      {compact ? (
        <span class="cl-node-figures">{plural(node.shards ?? 0, 'shard')}</span>
      ) : unreachable.length > 0 ? (
        <span class="cl-node-figures cl-node-deaf">does not hear {unreachable.join(', ')}</span>
      ) : (
        <span class="cl-node-figures">
          <span>{plural(node.shards ?? 0, 'shard')}</span>
          <span title="Active entities: with a stream to the user function">{formatCount(num(node.activeEntities))} active</span>
          <span title="Calls that clients have open">{plural(num(node.openCalls), 'call')}</span>
        </span>
      )}
    </button>
  );
}
