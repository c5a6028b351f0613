// Replicas, load and held calls over time. The mouse or the slider chooses a moment, whose figures are told beside.
import { useMemo, useRef } from 'preact/hooks';
import type { ScalingEventJson, ScalingStateJson } from '../../api/contract';
import { type Route, setQuery } from '../../router';
import { Button, Card } from '../../ui/basics';
import { Chart } from '../../ui/chart';
import { formatTime, formatWhole, timeMs } from '../../ui/format';
import { secondsOf } from '../../ui/durations';
import { useSamples } from '../metrics/figures';
import { settingOf } from './data';
import { changeText } from './event_panel';
import { loadChartOf } from './loads';
import { heldLines, loadLines, type Phase, phasesOf, placeOf, rangeOf, replicaLines, stopAt, stopsOf, type Timeline, timelineOf } from './timeline';

const RANGES = [1, 5, 15, 30];
const USUAL = 5;

interface ChartsProps {
  state: ScalingStateJson;
  events: ScalingEventJson[];
  route: Route;
  chosen: ScalingEventJson | undefined;
  hovered: ScalingEventJson | undefined;
  onHover: (event: ScalingEventJson | undefined) => void;
  onChoose: (event: ScalingEventJson) => void;
}

// Ticks may come late, but not by more than so many of them.
const LATE_TICKS = 3;

export function Charts({ state, events, route, chosen, hovered, onHover, onChoose }: ChartsProps) {
  // The emulator's clock, not the browser's.
  const now = timeMs(useSamples().at(-1)?.time) / 1_000;
  const minutes = rangeOf(RANGES, Number(route.query.get('minutes')), USUAL, chosen, now);
  const longest = LATE_TICKS * (secondsOf(settingOf(state.settings, 'scale-tick') ?? '') ?? Infinity);
  const timeline = useMemo(() => timelineOf(events, minutes, now, longest), [events, minutes, now, longest]);
  const replicas = useMemo(() => replicaLines(timeline), [timeline]);
  const measured = loadChartOf(state);
  const load = useMemo(() => loadLines(timeline, measured), [timeline, state]);
  const held = useMemo(() => heldLines(timeline), [timeline]);
  const phases = useMemo(() => phasesOf(timeline), [timeline]);
  const looked = hovered ?? chosen;
  const place = looked === undefined ? -1 : placeOf(timeline, looked);
  const stops = useMemo(() => stopsOf(timeline, state.mode), [timeline, state.mode]);
  const pointed = useRef<ScalingEventJson>();
  const shared = {
    times: timeline.times, shades: phases, marked: place < 0 ? undefined : place,
    onHover: (index: number | undefined) => {
      pointed.current = index === undefined ? undefined : timeline.events[stops[stopAt(stops, index)] ?? -1];
      onHover(pointed.current);
    },
  };
  return (
    <Card
      title="Over time" label="Over time" class="sc-over-time"
      actions={
        <div class="segments" role="group" aria-label="Range">
          {RANGES.map((each) => (
            <Button key={each} small pressed={each === minutes} title={`The last ${each} min`} onClick={() => setQuery({ minutes: each === USUAL && chosen === undefined ? null : each })}>{each} min</Button>
          ))}
        </div>
      }
    >
      {/* What a click does, Enter on the slider does too. */}
      <div class="sc-charts" onClick={() => pointed.current && onChoose(pointed.current)}>
        <Chart title="Replicas" series={replicas} format={formatWhole} height={150} whole {...shared} />
        {measured && <Chart title={measured.title} series={load} format={measured.format} height={130} {...shared} />}
        <Chart title="Calls held by the activator" series={held} format={formatWhole} height={100} whole {...shared} />
      </div>
      {chosen !== undefined && placeOf(timeline, chosen) < 0 && <p class="sc-before muted" role="note">What is chosen was before this range.</p>}
      <Scrubber timeline={timeline} stops={stops} place={place} looked={looked} chosen={chosen} onHover={onHover} onChoose={onChoose} />
      <Legend phases={phases} />
    </Card>
  );
}

type ScrubberProps = Pick<ChartsProps, 'chosen' | 'onHover' | 'onChoose'> & { timeline: Timeline; stops: number[]; place: number; looked: ScalingEventJson | undefined };

// From one tick to the next with the arrow keys.
function Scrubber({ timeline, stops, place, looked, chosen, onHover, onChoose }: ScrubberProps) {
  const last = stops.length - 1;
  const at = looked === undefined ? last : stopAt(stops, place);
  const eventAt = (stop: number) => timeline.events[stops[stop] ?? -1];
  const event = looked ?? eventAt(last);
  return (
    <label class="sc-scrubber">
      <span>Look back</span>
      <input
        type="range" min={0} max={Math.max(0, last)} value={Math.max(0, at)} aria-valuetext={event === undefined ? 'nothing yet' : told(event)}
        onInput={({ currentTarget: { value } }) => onHover(Number(value) === last && chosen === undefined ? undefined : eventAt(Number(value)))}
        onBlur={() => onHover(undefined)}
        onKeyDown={({ key }) => {
          if (key === 'Enter' && event !== undefined) onChoose(event);
          if (key === 'Escape') onHover(undefined);
        }}
      />
    </label>
  );
}

const told = (event: ScalingEventJson) =>
  `${formatTime(event.time)}: ${event.ready ?? 0} ready, ${changeText(event)} wanted${event.phase ? `, ${event.phase}` : ''}`;

const Legend = ({ phases }: { phases: Phase[] }) => {
  const seen = new Map(phases.map(({ phase, color }) => [phase, color]));
  if (seen.size === 0) return <div class="sc-legend" />;
  return (
    <ul class="sc-legend" aria-label="What the shades mean">
      {[...seen].map(([phase, color]) => (
        <li key={phase}><span class="swatch" style={{ background: `color-mix(in srgb, var(${color}) 30%, var(--surface))` }} /> {phase}</li>
      ))}
    </ul>
  );
};
