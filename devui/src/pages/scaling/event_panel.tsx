// A decision, a tick or what else happened, with the numbers behind it.
import type { ScalingEventJson, ScalingSettingJson } from '../../api/contract';
import { href } from '../../router';
import { Badge, CopyButton, Time, type Tone } from '../../ui/basics';
import { formatDuration, formatFigure, num, plural } from '../../ui/format';
import { isTick, keyOf, settingOf } from './data';
import { phaseTone } from './timeline';

const KINDS: Record<string, Tone> = { decision: 'accent', set: 'warn', replica: 'good', missed: 'warn' };

export const KindBadge = ({ kind = '' }: { kind?: string | undefined }) => <Badge tone={KINDS[kind] ?? 'neutral'}>{kind}</Badge>;
export const PhaseBadge = ({ phase = '' }: { phase?: string | undefined }) =>
  phase === '' ? null : <Badge tone={phaseTone(phase) ?? 'neutral'} title="The algorithm’s own state">{phase}</Badge>;

export const isChange = ({ wanted = 0, wantedBefore = 0 }: ScalingEventJson): boolean => wanted !== wantedBefore;
// "1 → 3", or "3" where nothing changed.
export const changeText = (event: ScalingEventJson): string =>
  isChange(event) && !isTick(event) ? `${event.wantedBefore ?? 0} → ${event.wanted ?? 0}` : String(event.wanted ?? 0);

// The reason alone, where the numbers stand beside it.
export const whyText = ({ text = '' }: ScalingEventJson): string => text.replace(/^scaling \d+ → \d+: /, '');

// Knative's target is a share of the setting; which one it was then is known where it still fits.
function targetText(value: number, settings: ScalingSettingJson[]): string {
  const own = Number(settingOf(settings, 'scale-target')) || (settingOf(settings, 'scale-metric') === 'rps' ? 200 : 100);
  const percent = Number.parseFloat(settingOf(settings, 'scale-target-utilization') ?? '');
  const fits = Math.abs((own * percent) / 100 - value) < 1e-6 * own;
  return `${formatFigure(value)} per replica${fits && percent !== 100 ? ` (${formatFigure(percent)} % of ${formatFigure(own)})` : ''}`;
}

export function figureText(name: string | undefined, value: number, settings: ScalingSettingJson[]): string {
  if (name === 'cold start') return formatDuration(value * 1_000);
  if (name === 'request rate' || name === 'last stable request rate') return `${formatFigure(value)}/s`;
  if (name === 'target') return targetText(value, settings);
  return formatFigure(value);
}

export function EventPanel({ event, settings }: { event: ScalingEventJson | undefined; settings: ScalingSettingJson[] }) {
  if (event === undefined) return <p class="muted">What the algorithm sees at each tick, and what it makes of it, will be told here.</p>;
  const { time, kind, node, ready = 0, heldCalls, phase, figures = [] } = event;
  return (
    <>
      <div class="sc-line">
        <KindBadge kind={kind} /> <PhaseBadge phase={phase} /> <Time time={time} />
        <span class="spacer" />
        {!isTick(event) && <CopyButton text={linkTo(event)} label="Copy a link to this" />}
      </div>
      <p>
        <strong class="sc-change">{changeText(event)}</strong> wanted, <strong>{ready}</strong> ready
        {num(heldCalls) > 0 && <>, {plural(num(heldCalls), 'call')} held</>}
      </p>
      <p>{whyText(event)}</p>
      {node ? <p><a href={href(['cluster'], { node })}>Node {node}</a></p> : null}
      {figures.length > 0 && (
        <table class="sc-figures" aria-label="Figures behind it">
          <tbody>
            {figures.map(({ name, value }, i) => (
              <tr key={i}>
                <th scope="row">{name}</th>
                <td>{figureText(name, num(value), settings)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const linkTo = (event: ScalingEventJson) => `${location.origin}/${href(['scaling'], { at: keyOf(event) })}`;
