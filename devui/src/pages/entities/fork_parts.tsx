import { setQuery } from '../../router';
import { Badge, EmptyState } from '../../ui/basics';
import { formatCount, num, plural, shortName } from '../../ui/format';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import type { Fork, ForkEvent, ForkStep } from './fork_store';
import { OutcomeView } from './outcome';
import { briefOf, isDeletion } from './time_line';

export function ForkEvents({ fork, events, selected }: { fork: Fork; events: ForkEvent[]; selected: string | null }) {
  const columns: Column<ForkEvent>[] = [
    { key: 'sequence', title: 'Event', width: '84px', numeric: true, render: (event) => <>{formatCount(event.sequence)}′</> },
    {
      key: 'what', title: 'Would be stored', width: 'minmax(120px, 1fr)',
      render: ({ payload }) => (isDeletion({ payload }) ? <Badge tone="warn">deleted</Badge> : <>{shortName(payload.typeUrl)} <span class="event-brief">{briefOf(payload.json)}</span></>),
    },
    { key: 'cause', title: 'Command', width: '130px', render: ({ step }) => <>{step + 1}. {fork.steps[step]?.method}</> },
  ];
  const newest = [...events].reverse();
  const at = newest.findIndex(({ sequence }) => String(sequence) === selected);
  return (
    <>
      <VirtualTable
        label="Events of the fork" columns={columns} count={newest.length} row={(i) => newest[i]} rowKey={({ sequence }) => sequence}
        selected={at < 0 ? undefined : at} onSelect={(_, { sequence }) => setQuery({ event: sequence })}
        empty={
          <EmptyState icon="fork" title="No event of its own yet">
            <p>Run a command: the events that it would have stored line up here, and the next command finds them.</p>
          </EmptyState>
        }
      />
      <p class="fork-point">{fork.point === 0 ? 'Begins without any event' : `Begins after the entity's own ${plural(fork.point, 'event')}`}</p>
    </>
  );
}

// Newest first. The one that stored the selected event is marked.
export function ForkSteps({ fork, events, selected }: { fork: Fork; events: ForkEvent[]; selected: string | null }) {
  const marked = events.find(({ sequence }) => String(sequence) === selected)?.step;
  if (fork.steps.length === 0) return <p class="muted">What the user function answers is shown here.</p>;
  return (
    <ol class="fork-steps" aria-label="Commands of the fork">
      {fork.steps.map((step, i) => <Step key={i} number={i + 1} step={step} marked={i === marked} open={i === (marked ?? fork.steps.length - 1)} />).reverse()}
    </ol>
  );
}

function Step({ number, step, marked, open }: { number: number; step: ForkStep; marked: boolean; open: boolean }) {
  return (
    <li class={marked ? 'fork-step fork-step-marked' : 'fork-step'}>
      <details open={open} key={String(open)}>
        <summary>
          <h3>{number}. {step.method}</h3> <code class="event-brief">{briefOf(step.json)}</code>
          {num(step.outcome.code) !== 0 && <Badge tone="bad">failed</Badge>}
        </summary>
        <div class="fork-step-body"><OutcomeView outcome={step.outcome} /></div>
      </details>
    </li>
  );
}
