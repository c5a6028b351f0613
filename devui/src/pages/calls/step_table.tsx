// All steps of a call in the order of their times, with what was sent and answered.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { formatDuration, shortName } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { PayloadView } from '../../ui/json_view';
import { type CallTree, type TimedStep } from './call_tree';

const MOST_PREVIEW = 120;

export function StepTable({ tree, chosen, dropped }: { tree: CallTree; chosen: number | undefined; dropped: number }) {
  const steps = chosen === undefined ? tree.steps : tree.steps.filter(({ command }) => command === chosen);
  const several = tree.commands.length > 1;
  return (
    <div class="steps-frame">
      <table class="steps" aria-label="Steps">
        <thead>
          <tr>
            <th scope="col" class="steps-numeric">At</th>
            <th scope="col" class="steps-numeric" title="Since the step before of the same command">After</th>
            <th scope="col">Step</th>
            {several && <th scope="col" class="steps-of">Of</th>}
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step, i) => (
            <StepRow key={`${chosen}-${i}`} step={step} of={several ? nameOf(tree, step.command) : undefined} />
          ))}
        </tbody>
      </table>
      {dropped > 0 && (
        <p class="steps-dropped" role="note">
          {dropped} more {dropped === 1 ? 'step' : 'steps'} came after these. Of one call only the first 256 are kept.
        </p>
      )}
      {steps.length === 0 && <p class="steps-dropped">Nothing is kept of this command's steps.</p>}
    </div>
  );
}

function nameOf(tree: CallTree, index: number): { text: string; full: string } {
  const command = tree.commands.find((each) => each.index === index);
  if (command === undefined) return { text: '', full: '' };
  return { text: `${command.method} ${command.entityId}`.trim(), full: `${command.service}.${command.method} ${command.entityId}` };
}

function StepRow({ step: { step, at, after }, of }: { step: TimedStep; of: { text: string; full: string } | undefined }) {
  const [open, setOpen] = useState(false);
  const { payload, kind = '', detail = '' } = step;
  return (
    <Fragment>
      <tr class={kind === 'failed' ? 'step-failed' : undefined}>
        <td class="steps-numeric mono">{formatDuration(at)}</td>
        <td class="steps-numeric mono muted">+{formatDuration(after)}</td>
        <td class="steps-kind">{kind}{of !== undefined && <span class="steps-of-below">{of.text}</span>}</td>
        {of !== undefined && <td class="steps-of"><span title={of.full}>{of.text}</span></td>}
        <td class="steps-what">
          {detail && <span class="steps-detail">{detail}</span>}
          {payload && (
            <button type="button" class="steps-payload" aria-expanded={open} onClick={() => setOpen(!open)}>
              <span class={open ? 'chevron chevron-open' : 'chevron'}><Icon name="right" /></span>
              <span class="steps-type">{shortName(payload.typeUrl)}</span>
              {!open && <code>{(payload.json ?? '').slice(0, MOST_PREVIEW)}</code>}
            </button>
          )}
        </td>
      </tr>
      {open && (
        <tr class="steps-open">
          <td colSpan={of === undefined ? 4 : 5}><PayloadView payload={payload} label={`Message: ${kind}`} /></td>
        </tr>
      )}
    </Fragment>
  );
}
