// What was decided, as lines over time.
import type { ScalingEventJson } from '../../api/contract';
import type { Tone } from '../../ui/basics';
import type { Series, Shade } from '../../ui/chart';
import { num, timeMs } from '../../ui/format';
import { isTick } from './data';
import type { LoadChart } from './loads';

export interface Timeline {
  // Seconds since 1970. The first is the beginning of the axis, the last may be its end.
  times: number[];
  // One for each time: what was told last then.
  events: (ScalingEventJson | undefined)[];
  // One for each time: whose figures hold then; undefined where nothing was measured, or nobody knows it any more.
  measured: (ScalingEventJson | undefined)[];
}

interface Moment {
  time: number;
  event: ScalingEventJson | undefined;
  measured: ScalingEventJson | undefined;
}

const seconds = ({ time }: ScalingEventJson) => timeMs(time) / 1_000;

const isMeasured = (event: ScalingEventJson): boolean => event.kind === 'decision' || isTick(event);
const setsMode = ({ kind, text = '' }: ScalingEventJson) => kind === 'set' && /: mode /.test(text);
const setsMetric = ({ kind, text = '' }: ScalingEventJson) => kind === 'set' && /\bscale-metric = /.test(text);

// Figures hold until the next ones, but no longer than `longest`, in seconds: then ticks are missing between.
function momentsOf(all: ScalingEventJson[], end: number, longest: number): Moment[] {
  const moments: Moment[] = [];
  let event: ScalingEventJson | undefined;
  let measured: ScalingEventJson | undefined;
  const forget = (now: number) => {
    if (measured === undefined || now - seconds(measured) <= longest) return;
    moments.push({ time: seconds(measured) + longest, event, measured: undefined });
    measured = undefined;
  };
  for (const each of all) {
    forget(seconds(each));
    if (each.kind !== 'missed') event = each;
    if (isMeasured(each)) measured = each;
    else if (each.kind === 'missed' || setsMode(each) || setsMetric(each)) measured = undefined;
    // What was measured before is of another unit.
    if (setsMetric(each)) moments.forEach((before) => { before.measured = undefined; });
    moments.push({ time: seconds(each), event, measured });
  }
  forget(end);
  if (event !== undefined && end > moments.at(-1)!.time) moments.push({ time: end, event, measured });
  return moments;
}

// Of the last minutes before `now`, in seconds since 1970; with what held when they began. The axis is as long from the beginning.
export function timelineOf(all: ScalingEventJson[], minutes: number, now: number, longest = Infinity): Timeline {
  const end = Math.max(now, ...all.slice(-1).map(seconds));
  const from = end - minutes * 60;
  const moments = momentsOf(all, end, longest);
  const first = moments.findIndex(({ time }) => time > from);
  const before = first < 0 ? moments.at(-1) : moments[first - 1];
  const shown = [{ time: from, event: before?.event, measured: before?.measured }, ...(first < 0 ? [] : moments.slice(first))];
  return { times: shown.map(({ time }) => time), events: shown.map(({ event }) => event), measured: shown.map(({ measured }) => measured) };
}

// The range that is asked for; otherwise the usual one, or the smallest longer one that has what is chosen.
export function rangeOf(ranges: number[], asked: number, usual: number, chosen: ScalingEventJson | undefined, now: number): number {
  if (ranges.includes(asked)) return asked;
  if (chosen === undefined) return usual;
  const fitting = ranges.filter((each) => each >= usual);
  return fitting.find((each) => seconds(chosen) > now - each * 60) ?? fitting.at(-1)!;
}

const isOwn = ({ times, events }: Timeline, i: number): boolean => i > 0 && events[i] !== undefined && seconds(events[i]!) === times[i];

// Where an event is; below 0 where it is not among them.
export const placeOf = (timeline: Timeline, event: ScalingEventJson): number =>
  timeline.events.findIndex((each, i) => each === event && isOwn(timeline, i));

// The places that one looks at one after the other: of algorithms those that have figures.
export const stopsOf = (timeline: Timeline, mode: string | undefined): number[] =>
  [...timeline.events.keys()].filter((i) => isOwn(timeline, i) && (mode === 'manual' || isMeasured(timeline.events[i]!)));

// Which of the stops a place belongs to: the last one before, or the first.
export const stopAt = (stops: number[], place: number): number => Math.max(0, stops.filter((stop) => stop <= place).length - 1);

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
export const loadLines = ({ measured }: Timeline, chart: LoadChart | undefined): Series[] =>
  (chart?.loads ?? [])
    .map(({ title, color, value, isTarget }): Series => ({
      title, color: `--${color}`, values: measured.map((event) => (event === undefined ? null : value(event))), dashed: isTarget ?? false,
    }))
    .filter(({ values }) => values.some((value) => value !== null));

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
