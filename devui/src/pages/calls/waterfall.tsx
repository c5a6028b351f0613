// Where a call's time went: each command a row, all on one time axis.
import type { CSSProperties } from 'preact';
import { formatDuration, shortName } from '../../ui/format';
import { type CallCommand, type CallTree, type Phase, phaseBefore, ticks } from './call_tree';

const PHASES: { phase: Phase; class: string; text: string }[] = [
  { phase: 'emulator', class: 'phase-emulator', text: 'emulator' },
  { phase: 'user function', class: 'phase-function', text: 'user function' },
  { phase: 'journal', class: 'phase-journal', text: 'until stored' },
  { phase: 'loading', class: 'phase-loading', text: 'loading the entity' },
  { phase: 'waiting', class: 'phase-waiting', text: 'waiting for what it set off' },
];
const classOf = (phase: Phase) => PHASES.find((each) => each.phase === phase)!.class;

interface WaterfallProps {
  tree: CallTree;
  // Whose steps are shown; undefined for all.
  chosen: number | undefined;
  onChoose: (command: number | undefined) => void;
}

export function Waterfall({ tree, chosen, onChoose }: WaterfallProps) {
  const length = tree.length || 1;
  const left = (at: number): CSSProperties => ({ left: `${(at / length) * 100}%` });
  return (
    <div class="waterfall">
      <div class="waterfall-axis" aria-hidden="true">
        {ticks(length).map((at) => <span key={at} style={left(at)} class={at / length > 0.92 ? 'tick-last' : undefined}>{formatDuration(at)}</span>)}
      </div>
      <ol aria-label="Commands of this call">
        {tree.commands.map((command) => (
          <li key={command.index} class={chosen === command.index ? 'waterfall-row waterfall-chosen' : 'waterfall-row'}>
            <button
              type="button" class="waterfall-name" style={{ paddingLeft: `${8 + command.depth * 16}px` }} aria-pressed={chosen === command.index}
              title={`${command.service}.${command.method} ${command.entityId}\nShow the steps of this command only`}
              onClick={() => onChoose(chosen === command.index ? undefined : command.index)}
            >
              {command.origin !== 'call' && <span class="waterfall-origin">{command.origin}</span>}
              <span class="waterfall-method"><span class="waterfall-service">{shortName(command.service)}.</span>{command.method}</span>
              <span class="muted">{command.entityId}</span>
              {command.failure !== undefined && <span class="waterfall-failed">failed</span>}
              <span class="visually-hidden">{describe(command)}</span>
            </button>
            <div class="waterfall-track" aria-hidden="true">
              {ticks(length).map((at) => <i key={at} class="waterfall-grid" style={left(at)} />)}
              <Bars tree={tree} command={command} length={length} />
            </div>
            <span class="waterfall-time" aria-hidden="true">{formatDuration(command.to - command.from)}</span>
          </li>
        ))}
      </ol>
      <ul class="waterfall-legend" aria-label="Who had the command">
        {PHASES.filter(({ phase }) => timeIn(tree, phase) > 0).map(({ phase, class: name, text }) => (
          <li key={phase}><span class={`swatch ${name}`} /> {text} <span class="muted">{formatDuration(timeIn(tree, phase))}</span></li>
        ))}
      </ul>
    </div>
  );
}

function Bars({ tree, command, length }: { tree: CallTree; command: CallCommand; length: number }) {
  const share = (ms: number) => `${(ms / length) * 100}%`;
  return (
    <>
      {command.steps.map((each, i) => {
        const { step, at, after } = each;
        const from = i === 0 ? command.from : at - after;
        return (
          <span
            key={i} class={`waterfall-bar ${classOf(phaseBefore(tree, each))}`} style={{ left: share(from), width: share(at - from) }}
            title={`${formatDuration(at - from)} until ${step.kind} (${formatDuration(at)})`}
          />
        );
      })}
      {command.steps.map(({ step, at }, i) => (
        <span key={i} class={step.kind === 'failed' ? 'waterfall-mark mark-failed' : 'waterfall-mark'} style={{ left: share(at) }} title={`${step.kind} at ${formatDuration(at)}`} />
      ))}
    </>
  );
}

// Steps of one command do not overlap, those of several may.
function timeIn(tree: CallTree, wanted: Phase): number {
  let sum = 0;
  for (const { steps } of tree.commands) {
    steps.forEach((each, i) => (sum += i > 0 && phaseBefore(tree, each) === wanted ? each.after : 0));
  }
  return sum;
}

function describe(command: CallCommand): string {
  const parts = command.steps.map(({ step, at }) => `${step.kind} at ${formatDuration(at)}`);
  return `, from ${formatDuration(command.from)} to ${formatDuration(command.to)}: ${parts.join(', ')}`;
}
