// The time line of an entity, and what one point of it tells.
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { EntityJson, EventJson, ServiceJson } from '../../api/contract';
import { useSettled } from '../../state/use_settled';
import { useWatch } from '../../state/use_watch';
import { num } from '../../ui/format';
import { Detail } from './detail';
import { EventBook } from './event_book';
import { TimeLine } from './time_line';

// Nobody reads faster than this, however many events come.
const REDRAW = 120;

// The point that is looked at; without one it is the newest.
const pointOf = (query: URLSearchParams): number | null => {
  const at = Number(query.get('at') ?? Number.NaN);
  return Number.isInteger(at) && at >= 0 ? at : null;
};

// How far the entity has come, from what is asked now and then and from what is watched. The book gets events that come while
// somebody looks at them; the others it fetches when they are wanted.
function useNewest(entity: EntityJson, book: EventBook, looking: boolean, redraw: () => void): number {
  const newest = useRef(0);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  newest.current = Math.max(newest.current, num(entity.lastSequence));
  book.markSnapshot(num(entity.snapshotSequence));
  const filter = { 'filter.persistence_id': entity.persistenceId, 'filter.id_contains': entity.entityId };
  useWatch<EventJson>('/v1/events:watch', filter, (batch) => {
    const before = newest.current;
    for (const event of batch) {
      if (event.entityId !== entity.entityId) continue;
      if (looking) book.put(event);
      newest.current = Math.max(newest.current, num(event.sequence));
    }
    if (newest.current === before || timer.current !== 0) return;
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      redraw();
    }, REDRAW);
  });
  return newest.current;
}

export function EntityView({ entity, service, query }: { entity: EntityJson; service: ServiceJson | undefined; query: URLSearchParams }) {
  const [, redraw] = useReducer<number, void>((turn) => turn + 1, 0);
  const book = useMemo(() => new EventBook(entity.persistenceId ?? '', entity.entityId ?? '', redraw as () => void), []);
  useEffect(() => () => book.close(), []);
  const [chosen, choose] = useSettled('at', pointOf(query));
  // Whoever looks at older events is not to have them pushed away: they see those up to here.
  const [held, setHeld] = useState<number>();
  const newest = useNewest(entity, book, held === undefined, redraw as () => void);
  const last = held ?? newest;
  const at = Math.min(chosen ?? last, newest);
  const [reveal, setReveal] = useState<number | undefined>(chosen === null ? undefined : last - at);
  const settled = Math.min(pointOf(query) ?? last, newest);

  // Now and then again: of what came meanwhile it may have been pushed out of the book.
  useEffect(() => {
    if (at > 0) book.want(at);
  }, [at, book.error, Math.floor(newest / 1_000)]);

  const goTo = (next: number) => {
    const point = Math.max(0, Math.min(newest, next));
    if (held !== undefined && point > held) setHeld(newest);
    choose(point);
    if (point > 0) setReveal(Math.max(held ?? 0, point > last ? newest : last) - point);
  };
  const toNewest = () => {
    setHeld(undefined);
    choose(null);
    setReveal(0);
  };
  return (
    <div class="entity-view">
      <TimeLine
        entity={entity} book={book} last={last} news={newest - last} at={at} following={chosen === null} reveal={reveal} onSelect={choose} onNewest={toNewest}
        onTop={(top) => {
          setReveal(undefined);
          setHeld((before) => (top ? undefined : before ?? newest));
        }}
      />
      <Detail book={book} entity={entity} service={service} at={at} settled={settled} last={newest} query={query} onGo={goTo} />
    </div>
  );
}
