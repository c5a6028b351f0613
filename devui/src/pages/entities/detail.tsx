// One point of an entity's life: the event there, the state after it, and time travel to it.
import { useEffect, useState } from 'preact/hooks';
import type { EntityJson, EventJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { useQuery } from '../../state/use_query';
import { Button, CallLink, Card, ErrorBox, LinkButton, Loading, Tabs, Time } from '../../ui/basics';
import { formatCount, num, shortName } from '../../ui/format';
import { PayloadView } from '../../ui/json_view';
import type { EventBook } from './event_book';
import { snapshotUntil } from './event_book';
import { StateView } from './state_view';
import { EventName, isDeletion } from './time_line';
import { TimeTravel } from './time_travel';

export interface DetailProps {
  book: EventBook;
  entity: EntityJson;
  service: ServiceJson | undefined;
  // The point, and the same once it stays: what is costly is asked for then.
  at: number;
  settled: number;
  last: number;
  query: URLSearchParams;
  onGo: (at: number) => void;
}

const TABS = [
  { key: 'event', title: 'Event' },
  { key: 'state', title: 'State' },
  { key: 'travel', title: 'Time travel' },
];

export function Detail(props: DetailProps) {
  const { entity, at, last, query } = props;
  const view = TABS.find(({ key }) => key === query.get('view'))?.key ?? 'event';
  return (
    <Card
      class="detail" label="The selected point" title={at === 0 ? 'Before the first event' : `After event ${formatCount(at)}`}
      actions={
        <LinkButton icon="fork" href={href(['entities', entity.persistenceId ?? '', entity.entityId ?? ''], { at, view: 'fork' })}>
          Fork from here
        </LinkButton>
      }
    >
      <PointBar at={at} last={last} onGo={props.onGo} />
      <Tabs label="The selected point" tabs={TABS} active={view}>
        {view === 'event' && <EventTab {...props} />}
        {view === 'state' && <StateView {...props} />}
        {view === 'travel' && <TimeTravel {...props} />}
      </Tabs>
    </Card>
  );
}

// The point by hand: steps, a number, a slider.
function PointBar({ at, last, onGo }: { at: number; last: number; onGo: (at: number) => void }) {
  const [typed, setTyped] = useState<string>();
  const commit = () => {
    const wanted = Number.parseInt(typed ?? '', 10);
    setTyped(undefined);
    if (!Number.isNaN(wanted)) onGo(wanted);
  };
  return (
    <div class="point-bar">
      <Button small icon="left" label="One event back" disabled={at <= 0} onClick={() => onGo(at - 1)} />
      <input
        class="point-number" inputMode="numeric" aria-label="Number of the event" value={typed ?? String(at)} onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={commit} onKeyDown={(event) => event.key === 'Enter' && commit()}
      />
      <span class="muted">of {formatCount(last)}</span>
      <Button small icon="right" label="One event on" disabled={at >= last} onClick={() => onGo(at + 1)} />
      <input
        type="range" min={0} max={last} value={at} aria-label="Point in the life of the entity"
        aria-valuetext={at === 0 ? 'before the first event' : `after event ${at} of ${last}`} onInput={(event) => onGo(Number(event.currentTarget.value))}
      />
    </div>
  );
}

// The event that is there, or, while another one is on its way, the one that was there.
export function useEvent(book: EventBook, at: number): { event: EventJson | undefined; waiting: boolean } {
  const now = at === 0 ? undefined : book.event(at);
  const [before, setBefore] = useState<EventJson>();
  useEffect(() => {
    if (now !== undefined) setBefore(now);
  }, [now]);
  return { event: now ?? (at === 0 ? undefined : before), waiting: at > 0 && now === undefined };
}

function EventTab({ book, entity, at, settled }: DetailProps) {
  const { event, waiting } = useEvent(book, at);
  if (at === 0) return <p class="muted">Nothing was stored yet at this point. The first event comes next.</p>;
  if (book.error && waiting) return <ErrorBox error={book.error} onRetry={() => book.retry()} />;
  if (event === undefined) return <Loading what="the event" />;
  return (
    <div class={waiting ? 'sections sections-waiting' : 'sections'}>
      <section aria-label="Event">
        <div class="section-head">
          <h3>#{formatCount(num(event.sequence))} <EventName event={event} /></h3>
          <span class="muted"><Time time={event.time} /> · place {formatCount(num(event.position))} in the journal</span>
        </div>
        {isDeletion(event) ? <p class="muted">The value was deleted. The next command finds none.</p> : <PayloadView payload={event.payload} label="Event" />}
      </section>
      <Cause event={event} />
      {book.hasSnapshot(settled) && settled === at && <SnapshotHere entity={entity} at={settled} />}
    </div>
  );
}

function Cause({ event: { cause } }: { event: EventJson }) {
  if (cause?.method === undefined || cause.method === '') {
    return <p class="muted">Which command stored it is not known.</p>;
  }
  return (
    <section aria-label="Command">
      <div class="section-head">
        <h3>Stored by {shortName(cause.service)}.{cause.method}</h3>
        {cause.traceId && <CallLink trace={cause.traceId}>Call {cause.traceId}</CallLink>}
      </div>
      <PayloadView payload={cause.command} label="Command" />
    </section>
  );
}

function SnapshotHere({ entity, at }: { entity: EntityJson; at: number }) {
  const { persistenceId = '', entityId = '' } = entity;
  const { data, error, reload } = useQuery(`snapshot ${persistenceId} ${entityId} ${at}`, (signal) => snapshotUntil(persistenceId, entityId, at, signal));
  return (
    <section aria-label="Snapshot">
      <div class="section-head">
        <h3>Snapshot taken after it</h3>
        <span class="muted"><Time time={data?.time} /></span>
      </div>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {data && <PayloadView payload={data.payload} label="Snapshot" />}
    </section>
  );
}
