import type { PayloadJson, ReplayFurtherJson, ReplayOutcomeJson } from '../../api/contract';
import { Badge, CodeBadge } from '../../ui/basics';
import { durationMs, formatDuration, plural, shortName } from '../../ui/format';
import { PayloadView } from '../../ui/json_view';

// What the user function answered to one command.
export function OutcomeView({ outcome, quiet }: { outcome: ReplayOutcomeJson; quiet?: boolean }) {
  const events = outcome.events ?? [];
  return (
    <div class="outcome">
      <div class="outcome-head">
        <CodeBadge code={outcome.code} />
        <span class="muted">{formatDuration(durationMs(outcome.duration))}</span>
        {events.length > 0 && <Badge tone="accent">{quiet ? plural(events.length, 'event') : `would store ${plural(events.length, 'event')}`}</Badge>}
        {outcome.snapshot && <Badge tone="accent">and a snapshot</Badge>}
      </div>
      {outcome.message && <p class="outcome-message">{outcome.message}</p>}
      {outcome.reply && <PayloadView payload={outcome.reply} label="Reply" />}
      {outcome.forward && <Further title="Forwarded to" further={outcome.forward} />}
      {(outcome.effects ?? []).map((effect, i) => <Further key={i} title={effect.synchronous ? 'Synchronous effect on' : 'Effect on'} further={effect} />)}
      {events.map((event, i) => <Stored key={i} payload={event} />)}
    </div>
  );
}

const Further = ({ title, further }: { title: string; further: ReplayFurtherJson }) => (
  <div class="further">
    <div class="section-head">
      <h4>{title} {shortName(further.service)}.{further.method}</h4>
      <Badge tone="warn" title="Time travel and forks touch nothing else.">not carried out</Badge>
    </div>
    <PayloadView payload={further.payload} label={title} />
  </div>
);

const Stored = ({ payload }: { payload: PayloadJson }) => (
  <div class="further">
    <h4>Event</h4>
    <PayloadView payload={payload} label="Event" />
  </div>
);
