// The last minutes at a glance.
import { useMemo } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { SampleJson } from '../../api/contract';
import { href } from '../../router';
import { Sparkline } from '../../ui/chart';
import { durationMs, formatCount, formatDuration, formatRate, num } from '../../ui/format';
import { eventsOf, rate, sum } from '../metrics/figures';

const ALL = { service: '', entity: '' };

export function Rates({ shown }: { shown: SampleJson[] }) {
  const figures = useMemo(() => {
    const calls = shown.map((sample) => rate(sample, sample.calls?.calls));
    const failed = shown.map((sample) => num(sample.calls?.failed));
    const events = shown.map((sample) => eventsOf(sample, ALL));
    return { calls, failed, events, p99: shown.map((sample) => durationMs(sample.calls?.p99)) };
  }, [shown]);
  const all = sum(shown, ({ calls }) => num(calls?.calls));
  const failures = sum(figures.failed, (each) => each);
  const latest = shown.filter(({ calls }) => calls?.p50 !== undefined).at(-1)?.calls;
  const events = sum(figures.events, (each) => each);
  const last = shown.at(-1);
  return (
    <section class="rates" aria-label="The last 5 minutes">
      <h2 class="visually-hidden">The last 5 minutes</h2>
      <Rate title="Calls" value={formatRate(figures.calls.at(-1) ?? 0)} note={`${formatCount(all)} in 5 min`} values={figures.calls} to={href(['metrics'])} />
      <Rate
        title="Failed" value={formatCount(failures)} bad={failures > 0} note={all === 0 ? 'in 5 min' : `in 5 min, ${((100 * failures) / all).toFixed(failures > 0 ? 1 : 0)} % of calls`}
        values={figures.failed} to={href(['calls'], { failed: 1 })}
      />
      <Rate
        title="Duration" value={latest === undefined ? '–' : formatDuration(durationMs(latest.p50))}
        note={latest === undefined ? 'no calls yet' : `half of the calls; p99 ${formatDuration(durationMs(latest.p99))}`} values={figures.p99} to={href(['metrics'])}
      />
      <Rate title="Events" value={formatRate(last === undefined ? 0 : eventsOf(last, ALL))} note={`${formatCount(events)} in 5 min`} values={figures.events} to={href(['entities'])} />
    </section>
  );
}

function Rate(props: { title: string; value: ComponentChildren; note: string; values: number[]; to: string; bad?: boolean }) {
  return (
    <a class="card rate" href={props.to}>
      <span class="rate-title">{props.title}</span>
      <span class={props.bad ? 'rate-value rate-bad' : 'rate-value'}>{props.value}</span>
      <span class="rate-note">{props.note}</span>
      <Sparkline values={props.values} label={`${props.title} of each second`} />
    </a>
  );
}
