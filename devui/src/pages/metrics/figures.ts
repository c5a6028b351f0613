// What the seconds' figures come to: rates, sums, and the lines of the charts.
import { useEffect, useState } from 'preact/hooks';
import type { CallFiguresJson, EntityFiguresJson, NodeFiguresJson, SampleJson } from '../../api/contract';
import { samples } from '../../state/live';
import type { Series } from '../../ui/chart';
import { durationMs, formatBytes, formatConcurrency, formatDuration, formatRate, formatWhole, num, timeMs } from '../../ui/format';

// The newest samples, told once a second at most; `paused` keeps those that are shown.
export function useSamples(paused = false): SampleJson[] {
  const [shown, setShown] = useState(samples.get);
  useEffect(() => {
    if (paused) return;
    let timer = 0;
    let last = 0;
    const show = () => {
      timer = 0;
      last = Date.now();
      setShown(samples.get());
    };
    const changed = () => {
      if (timer === 0) timer = window.setTimeout(show, Math.max(0, last + 950 - Date.now()));
    };
    show();
    const forget = samples.watch(changed);
    return () => {
      forget();
      window.clearTimeout(timer);
    };
  }, [paused]);
  return shown;
}

const lengthOf = (sample: SampleJson) => Math.max(0.001, durationMs(sample.length ?? '1s') / 1_000);
export const rate = (sample: SampleJson, count: string | number | undefined) => num(count) / lengthOf(sample);

// Those of the newest minutes. What is missing at the beginning was before the emulator started.
export function newest(kept: SampleJson[], minutes: number): SampleJson[] {
  const from = timeMs(kept.at(-1)?.time) - minutes * 60_000;
  return kept.filter(({ time }) => timeMs(time) > from);
}

// Whose figures: all, or those of one service and of what its entities are stored under.
export interface Of {
  service: string;
  entity: string;
}

const callsOf = (sample: SampleJson, { service }: Of): CallFiguresJson | undefined =>
  service === '' ? sample.calls : sample.services?.[service];

function entitiesOf(sample: SampleJson, { service, entity }: Of): EntityFiguresJson[] {
  if (service === '') return Object.values(sample.entities ?? {});
  const own = sample.entities?.[entity];
  return own === undefined ? [] : [own];
}

export const sum = <T>(items: T[], value: (item: T) => number) => items.reduce((so, item) => so + value(item), 0);
// What CRDTs write is counted as events too, but stored nowhere.
export const isStored = ({ kind }: EntityFiguresJson) => kind !== 'crdt';
const storedOf = (sample: SampleJson, of: Of) => entitiesOf(sample, of).filter(isStored);
export const eventsOf = (sample: SampleJson, of: Of) => sum(storedOf(sample, of), ({ events }) => num(events));

export interface Line {
  title: string;
  series: Series[];
  format: (value: number) => string;
}

type Value = (sample: SampleJson) => number | null;

// `minutes` before the newest sample; the axis is as long from the beginning, so that nothing moves while it fills.
export function timesOf(shown: SampleJson[], minutes: number): number[] {
  const times = shown.map(({ time }) => timeMs(time) / 1_000);
  const last = times.at(-1);
  return last === undefined ? [] : [last - minutes * 60, ...times];
}

const line = (shown: SampleJson[], title: string, color: number, value: Value, filled = false): Series => ({
  title, color: `--series-${color}`, filled, values: [null, ...shown.map(value)],
});

// Milliseconds, none where nothing was done.
const average = (items: EntityFiguresJson[], time: (item: EntityFiguresJson) => string | undefined) => {
  const commands = sum(items, (item) => num(item.commands));
  return commands === 0 ? null : sum(items, (item) => durationMs(time(item))) / commands;
};
const latency = (figures: CallFiguresJson | undefined, at: 'p50' | 'p90' | 'p99') =>
  figures?.[at] === undefined ? null : durationMs(figures[at]);

export function callCharts(shown: SampleJson[], of: Of): Line[] {
  return [
    {
      title: 'Calls per second', format: formatRate,
      series: [
        line(shown, 'all', 1, (sample) => rate(sample, callsOf(sample, of)?.calls), true),
        line(shown, 'failed', 3, (sample) => rate(sample, callsOf(sample, of)?.failed)),
      ],
    },
    {
      title: 'How long calls took', format: formatDuration,
      series: (['p50', 'p90', 'p99'] as const).map((at, i) => line(shown, at, i + 1, (sample) => latency(callsOf(sample, of), at))),
    },
  ];
}

export function storageCharts(shown: SampleJson[], of: Of): Line[] {
  return [
    { title: 'Events stored per second', format: formatRate, series: [line(shown, 'events', 1, (sample) => rate(sample, eventsOf(sample, of)), true)] },
    {
      title: 'Bytes stored per second', format: (value) => `${formatBytes(Math.round(value))}/s`,
      series: [line(shown, 'bytes', 2, (sample) => rate(sample, sum(storedOf(sample, of), (each) => num(each.eventBytes))), true)],
    },
    {
      title: 'Time for one command, on average', format: formatDuration,
      series: [
        line(shown, 'user function', 4, (sample) => average(entitiesOf(sample, of), ({ processing }) => processing)),
        line(shown, 'journal', 2, (sample) => average(entitiesOf(sample, of), ({ storing }) => storing)),
      ],
    },
  ];
}

const MOST_LINES = 5;

// A line for each node, or one for all where that would be too many to tell apart.
function nodeLines(shown: SampleJson[], value: (node: NodeFiguresJson) => number): Series[] {
  const nodes = [...new Set(shown.flatMap((sample) => (sample.nodes ?? []).map(({ node }) => node ?? 0)))].sort((a, b) => a - b);
  if (nodes.length > MOST_LINES) {
    return [line(shown, 'all nodes', 1, ({ nodes: each = [] }) => sum(each, value), true)];
  }
  return nodes.map((node, i) => line(shown, `node ${node}`, i + 1, (sample) => {
    const own = sample.nodes?.find((each) => each.node === node);
    return own === undefined ? null : value(own);
  }));
}

// What scaling decides by.
export function loadCharts(shown: SampleJson[]): Line[] {
  const under = (title: string, part: 'requests' | 'userFunction' | 'journal'): Line => ({
    title, format: formatConcurrency, series: nodeLines(shown, ({ load }) => num(load?.[part]?.concurrency)),
  });
  return [under('Clients’ calls', 'requests'), under('Commands in the user function', 'userFunction'), under('Reads and writes of the journal', 'journal')];
}

export function processCharts(shown: SampleJson[]): Line[] {
  return [
    { title: 'Active entities', format: formatWhole, series: nodeLines(shown, (node) => num(node.activeEntities)) },
    { title: 'Waiting commands', format: formatWhole, series: nodeLines(shown, (node) => num(node.waitingCommands)) },
    { title: 'Memory of the emulator', format: (value) => formatBytes(Math.round(value)), series: [line(shown, 'resident', 1, (sample) => num(sample.residentBytes), true)] },
    {
      title: 'Processors in use', format: (value) => `${(100 * value).toFixed(value < 0.095 ? 1 : 0)} %`,
      series: [line(shown, '100 % is one processor', 5, (sample) => num(sample.processors), true)],
    },
  ];
}
