// The cluster as the pictures and tables of this page need it.
import { useMemo, useRef } from 'preact/hooks';
import type { LinkSettingsJson, LinkStateJson, ListNodesResponseJson, NetworkStateJson, NodeJson } from '../../api/contract';
import { get } from '../../api/client';
import { useQuery } from '../../state/use_query';
import type { Tone } from '../../ui/basics';
import { num } from '../../ui/format';
import { runs } from '../../ui/node_state';

// The two directions of a link, `a` being the smaller number.
export interface Pair {
  key: string;
  a: number;
  b: number;
  there: LinkStateJson;
  back: LinkStateJson;
  // Its ends are in different groups of a partition.
  parted: boolean;
  // One of its ends does not run.
  idle: boolean;
  // Messages that arrive in a second, by direction; undefined before the second look.
  rates?: { there: number; back: number };
}

export interface Cluster {
  nodes: NodeJson[];
  pairs: Pair[];
  // All nodes, where there is a partition.
  groups: number[][];
  defaults: LinkSettingsJson;
}

interface Look {
  nodes: NodeJson[];
  network: NetworkStateJson;
  at: number;
}

const EVERY_MS = 1_000;
// A hundred nodes have 9,900 links.
const EVERY_MS_WHEN_LARGE = 5_000;
const LARGE = 20;

export function useCluster() {
  const size = useRef(0);
  const query = useQuery<Look>(
    'cluster',
    async (signal) => {
      const [nodes, network] = await Promise.all([
        get<ListNodesResponseJson>('/v1/nodes', {}, signal),
        get<NetworkStateJson>('/v1/network', {}, signal),
      ]);
      size.current = nodes.nodes?.length ?? 0;
      return { nodes: nodes.nodes ?? [], network, at: performance.now() };
    },
    size.current > LARGE ? EVERY_MS_WHEN_LARGE : EVERY_MS,
  );
  const before = useRef<Look | undefined>(undefined);
  const cluster = useMemo(() => {
    const now = query.data;
    if (now === undefined) return undefined;
    const made = clusterOf(now, before.current);
    before.current = now;
    return made;
  }, [query.data]);
  return { ...query, data: cluster };
}

function clusterOf({ nodes, network, at }: Look, before: Look | undefined): Cluster {
  const groups = groupsOf(nodes, network);
  const groupOf = new Map(groups.flatMap((group, i) => group.map((node) => [node, i] as const)));
  const links = new Map((network.links ?? []).map((link) => [`${link.from}-${link.to}`, link]));
  const earlier = new Map((before?.network.links ?? []).map((link) => [`${link.from}-${link.to}`, link]));
  const seconds = before === undefined ? 0 : (at - before.at) / 1_000;
  const rate = (link: LinkStateJson) => {
    const last = earlier.get(`${link.from}-${link.to}`);
    return last === undefined ? 0 : Math.max(0, (num(link.delivered) - num(last.delivered)) / seconds);
  };
  const stopped = new Set(nodes.filter((node) => !runs(node)).map(({ node = 0 }) => node));
  const pairs: Pair[] = [];
  for (const there of links.values()) {
    const { from: a = 0, to: b = 0 } = there;
    const back = links.get(`${b}-${a}`);
    if (a >= b || back === undefined) continue;
    pairs.push({
      key: `${a}-${b}`, a, b, there, back, parted: groupOf.get(a) !== groupOf.get(b), idle: stopped.has(a) || stopped.has(b),
      ...(seconds > 0.05 ? { rates: { there: rate(there), back: rate(back) } } : {}),
    });
  }
  return { nodes, pairs, groups, defaults: network.defaultSettings ?? {} };
}

// Nodes that are in no group make up one more.
function groupsOf(nodes: NodeJson[], network: NetworkStateJson): number[][] {
  const named = (network.partition ?? []).map((group) => group.nodes ?? []);
  if (named.length === 0) return [];
  const rest = nodes.map(({ node = 0 }) => node).filter((node) => !named.some((group) => group.includes(node)));
  return [...named, rest].filter((group) => group.length > 0);
}

// One of five colours, which come again after five nodes.
export const ownerColor = (node: number): string => `var(--series-${((node - 1) % 5) + 1})`;

const percent = (share: number | string) => `${Number((Number(share) * 100).toPrecision(3))}%`;

// "uniform(1ms, 20ms), loss 10%"; empty for a link that does nothing to messages.
export function settingsText(settings: LinkSettingsJson | undefined): string {
  const { latency, loss, duplicate, reorder, bytesPerSecond } = settings ?? {};
  const parts: string[] = [];
  if (latency) parts.push(latency);
  if (loss) parts.push(`loss ${percent(loss)}`);
  if (duplicate) parts.push(`twice ${percent(duplicate)}`);
  if (reorder) parts.push(`reorder ${percent(reorder)}`);
  if (num(bytesPerSecond) > 0) parts.push(`${bytesPerSecond} B/s`);
  return parts.join(', ');
}

// What one direction does: "cut", "5ms" or "ok".
export const linkText = (link: LinkStateJson): string => (link.cut ? 'cut' : settingsText(link.settings) || 'ok');
export const linkTone = (link: LinkStateJson): Tone => (link.cut ? 'bad' : settingsText(link.settings) ? 'warn' : 'good');

export function pairText({ a, b, there, back, parted }: Pair): string {
  if (parted) return 'parted';
  const [one, other] = [linkText(there), linkText(back)];
  if (one === other) return one;
  return [one === 'ok' ? '' : `${a} → ${b}: ${one}`, other === 'ok' ? '' : `${b} → ${a}: ${other}`].filter(Boolean).join('; ');
}

export const pairTone = ({ there, back }: Pair): Tone => (there.cut || back.cut ? 'bad' : linkTone(there) === 'warn' || linkTone(back) === 'warn' ? 'warn' : 'good');
