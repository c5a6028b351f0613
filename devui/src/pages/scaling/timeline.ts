// What was decided, as lines over time.
import type { ScalingEventJson } from '../../api/contract';
import type { Tone } from '../../ui/basics';
import type { Series, Shade } from '../../ui/chart';
import { num, timeMs } from '../../ui/format';
import type { LoadChart } from './loads';

export interface Timeline {
  // Seconds since 1970. The first one may be the beginning of the axis, without an event.
  times: number[];
  // One for each time.
  events: (ScalingEventJson | undefined)[];
}

const seconds = ({ time }: ScalingEventJson) => timeMs(time) / 1_000;

// Of the last minutes before `now`, in seconds since 1970; with what held when they began. The axis is as long from the beginning.
export function timelineOf(all: ScalingEventJson[], minutes: number, now: number): Timeline {
  const told = all.filter(({ kind }) => kind !== 'missed');
  const end = Math.max(now, ...told.slice(-1).map(seconds));
  const from = end - minutes * 60;
  const first = told.findIndex((event) => seconds(event) > from);
  const shown = first < 0 ? [] : told.slice(first);
  const before = first < 0 ? told.at(-1) : told[first - 1];
  const last = shown.at(-1) ?? before;
  const tail = last !== undefined && end > seconds(last);
  return {
    times: [from, ...shown.map(seconds), ...(tail ? [end] : [])],
    events: [before, ...shown, ...(tail ? [last] : [])],
  };
}

type Value = (event: ScalingEventJson) => number | null;

const line = ({ events }: Timeline, title: string, color: string, value: Value, more: Partial<Series>): Series => ({
  title, color: `--${color}`, values: events.map((event) => (event === undefined ? null : value(event))), ...more,
});

export function replicaLines(timeline: Timeline): Series[] {
  return [
    line(timeline, 'ready', 'series-2', ({ ready }) => ready ?? 0, { stepped: true, filled: true }),
    line(timeline, 'wanted', 'series-1', ({ wanted }) => wanted ?? 0, { stepped: true }),
  ];
}

export const heldLines = (timeline: Timeline): Series[] => [
  line(timeline, 'held', 'series-3', ({ heldCalls }) => num(heldCalls), { stepped: true, filled: true }),
];

// What the algorithm measured, and what it aims at; nothing where it measures nothing.
export function loadLines(timeline: Timeline, chart: LoadChart | undefined): Series[] {
  return (chart?.loads ?? [])
    .map(({ title, color, value, isTarget }) => line(timeline, title, color, value, { spanned: true, dashed: isTarget ?? false }))
    .filter(({ values }) => values.some((value) => value !== null))
    .map((each) => ({ ...each, values: untilNow(each.values) }));
}

// What was measured last still holds.
function untilNow(values: (number | null)[]): (number | null)[] {
  return values.at(-1) === null ? [...values.slice(0, -1), values.filter((value) => value !== null).at(-1)!] : values;
}

const TONES: Record<string, Tone> = { panic: 'bad', 'scaling up': 'warn', 'scaling down': 'accent', upgrading: 'neutral' };
// Undefined where all is as usual.
export const phaseTone = (phase: string): Tone | undefined => TONES[phase];

export interface Phase extends Shade {
  phase: string;
}

// The times in which the algorithm was in a state of its own other than stable. Events without one are of a mode without.
export function phasesOf({ times, events }: Timeline): Phase[] {
  const phases: Phase[] = [];
  let now: Phase | undefined;
  events.forEach((event, i) => {
    const to = times[i]!;
    const phase = event?.phase ?? '';
    if (now !== undefined) now.to = to;
    if (phase === now?.phase) return;
    const tone = phaseTone(phase);
    now = tone === undefined ? undefined : { phase, from: to, to, color: tone === 'neutral' ? '--muted' : `--${tone}` };
    if (now !== undefined) phases.push(now);
  });
  return phases;
}
