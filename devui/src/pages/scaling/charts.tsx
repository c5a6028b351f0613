// Replicas, load and held calls over time. The mouse or the slider chooses a moment, whose figures are told beside.
import { useMemo } from 'preact/hooks';
import type { ScalingEventJson, ScalingStateJson } from '../../api/contract';
import { type Route, setQuery } from '../../router';
import { Button, Card } from '../../ui/basics';
import { Chart } from '../../ui/chart';
import { formatCount, formatTime, timeMs } from '../../ui/format';
import { useSamples } from '../metrics/figures';
import { changeText } from './event_panel';
import { loadChartOf } from './loads';
import { heldLines, loadLines, type Phase, phasesOf, replicaLines, timelineOf } from './timeline';

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

const formatWhole = (value: number) => formatCount(Math.round(value * 10) / 10);

export function Charts({ state, events, route, chosen, hovered, onHover, onChoose }: ChartsProps) {
  const asked = Number(route.query.get('minutes'));
  const minutes = RANGES.includes(asked) ? asked : USUAL;
  // The emulator's clock, not the browser's.
  const now = timeMs(useSamples().at(-1)?.time) / 1_000;
  const timeline = useMemo(() => timelineOf(events, minutes, now), [events, minutes, now]);
  const replicas = useMemo(() => replicaLines(timeline), [timeline]);
  const measured = loadChartOf(state);
  const load = useMemo(() => loadLines(timeline, measured), [timeline, state.mode]);
  const held = useMemo(() => heldLines(timeline), [timeline]);
  const phases = useMemo(() => phasesOf(timeline), [timeline]);
  const looked = hovered ?? chosen;
  const place = looked === undefined ? -1 : timeline.events.indexOf(looked);
  const shared = {
    times: timeline.times, shades: phases, marked: place < 0 ? undefined : place,
    onHover: (index: number | undefined) => onHover(index === undefined ? undefined : timeline.events[index]),
  };
  return (
    <Card
      title="Over time" label="Over time" class="sc-over-time"
      actions={
        <div class="segments" role="group" aria-label="Range">
          {RANGES.map((each) => (
            <Button key={each} small pressed={each === minutes} title={`The last ${each} min`} onClick={() => setQuery({ minutes: each === USUAL ? null : each })}>{each} min</Button>
          ))}
        </div>
      }
    >
      {/* What a click does, Enter on the slider does too. */}
      <div class="sc-charts" onClick={() => hovered && onChoose(hovered)}>
        <Chart title="Replicas" series={replicas} format={formatWhole} height={150} {...shared} />
        {measured && load.length > 0 && <Chart title={measured.title} series={load} format={measured.format} height={130} {...shared} />}
        <Chart title="Calls held by the activator" series={held} format={formatWhole} height={100} {...shared} />
      </div>
      <Scrubber events={timeline.events} place={place} onHover={onHover} onChoose={onChoose} />
      <Legend phases={phases} />
    </Card>
  );
}

type ScrubberProps = Pick<ChartsProps, 'onHover' | 'onChoose'> & { events: (ScalingEventJson | undefined)[]; place: number };

// From one tick to the next with the arrow keys.
function Scrubber({ events, place, onHover, onChoose }: ScrubberProps) {
  const last = events.length - 1;
  const at = place < 0 ? last : place;
  const event = events[at];
  return (
    <label class="sc-scrubber">
      <span>Look back</span>
      <input
        type="range" min={0} max={Math.max(0, last)} value={at} aria-valuetext={event === undefined ? 'nothing yet' : told(event)}
        onInput={({ currentTarget: { value } }) => onHover(Number(value) === last ? undefined : events[Number(value)])}
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
  if (seen.size === 0) return null;
  return (
    <ul class="sc-legend" aria-label="What the shades mean">
      {[...seen].map(([phase, color]) => (
        <li key={phase}><span class="swatch" style={{ background: `color-mix(in srgb, var(${color}) 30%, var(--surface))` }} /> {phase}</li>
      ))}
    </ul>
  );
};
