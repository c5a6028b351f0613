// What is drawn of an algorithm's figures: what it measured, against what it aims at.
import type { ScalingEventJson, ScalingStateJson } from '../../api/contract';
import { formatFigure, num } from '../../ui/format';
import { settingOf } from './data';

interface Load {
  title: string;
  color: string;
  // What it aims at, rather than what it measured.
  isTarget?: boolean;
  // Null where the event was not made of it.
  value: (event: ScalingEventJson) => number | null;
}

export interface LoadChart {
  title: string;
  format: (value: number) => string;
  loads: Load[];
}

export const figureOf = ({ figures = [] }: ScalingEventJson, name: string): number | null => {
  const found = figures.find((each) => each.name === name);
  return found === undefined ? null : num(found.value);
};

// What `of` makes of the figures of these names, where all of them are there.
const from = (names: string[], of: (...values: number[]) => number | null) => (event: ScalingEventJson) => {
  const values = names.map((name) => figureOf(event, name));
  return values.includes(null) ? null : of(...(values as number[]));
};
const figure = (name: string) => from([name], (value) => value);

// Its targets are of different sizes, so each concurrency is a share of its own.
const cloudstate = (factor: number): LoadChart => ({
  title: 'Concurrency of a replica, as a share of its target', format: (value) => `${Math.round(100 * value)} %`,
  loads: [
    { title: 'user function', color: 'series-1', value: from(['user function concurrency', 'user function target'], (now, target) => now / target) },
    {
      title: 'requests without the journal’s', color: 'series-4',
      value: from(['request concurrency', 'journal concurrency', 'request target'], (now, journal, target) => Math.max(0, now - journal) / target),
    },
    // While it scales up, more are wanted at once where the rate has grown by the factor.
    {
      title: 'request rate, of what scales up again', color: 'series-3',
      value: from(['request rate', 'last stable request rate'], (rate, stable) => (stable > 0 ? rate / (stable * factor) : null)),
    },
    { title: 'target', color: 'muted', isTarget: true, value: from(['user function target'], () => 1) },
  ],
});

// Its averages are of all replicas, its target is of one.
const KNATIVE: Omit<LoadChart, 'title'> = {
  format: formatFigure,
  loads: [
    { title: 'over the stable window', color: 'series-1', value: figure('stable average') },
    { title: 'over the panic window', color: 'series-3', value: figure('panic average') },
    { title: 'target of those ready', color: 'muted', isTarget: true, value: from(['target', 'ready'], (target, ready) => target * ready) },
  ],
};

// Undefined where nothing is measured.
export function loadChartOf({ mode, settings = [] }: ScalingStateJson): LoadChart | undefined {
  if (mode === 'cloudstate') return cloudstate(Number(settingOf(settings, 'request-rate-threshold-factor')) || 1);
  if (mode !== 'knative') return undefined;
  return { ...KNATIVE, title: settingOf(settings, 'scale-metric') === 'rps' ? 'Calls a second' : 'Calls under way' };
}
