// The time line of an entity, and what one point of it tells.
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { EntityJson, EventJson, ServiceJson } from '../../api/contract';
import { setQuery } from '../../router';
import { useWatch } from '../../state/use_watch';
import { num } from '../../ui/format';
import { Detail } from './detail';
import { EventBook } from './event_book';
import { TimeLine } from './time_line';

// Browsers refuse to change the address many times a second.
const SETTLED = 120;
// Nobody reads faster than this, however many events come.
const REDRAW = 120;

const pointOf = (query: URLSearchParams): number | undefined => {
  const at = Number(query.get('at') ?? Number.NaN);
  return Number.isInteger(at) && at >= 0 ? at : undefined;
};

// The point that is looked at; none follows the newest. The address has it soon after.
function usePoint(query: URLSearchParams): [number | undefined, (at: number | undefined) => void] {
  const settled = pointOf(query);
  const [at, setAt] = useState(settled);
  const timer = useRef(0);
  useEffect(() => {
    if (timer.current === 0) setAt(settled);
  }, [settled]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const choose = (next: number | undefined) => {
    setAt(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      setQuery({ at: next ?? null });
    }, SETTLED);
  };
  return [at, choose];
}

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
  const [chosen, choose] = usePoint(query);
  // Whoever looks at older events is not to have them pushed away: they see those up to here.
  const [held, setHeld] = useState<number>();
  const newest = useNewest(entity, book, held === undefined, redraw as () => void);
  const last = held ?? newest;
  const at = Math.min(chosen ?? last, newest);
  const [reveal, setReveal] = useState<number | undefined>(chosen === undefined ? undefined : last - at);
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
    choose(undefined);
    setReveal(0);
  };
  return (
    <div class="entity-view">
      <TimeLine
        entity={entity} book={book} last={last} news={newest - last} at={at} following={chosen === undefined} reveal={reveal} onSelect={choose} onNewest={toNewest}
        onTop={(top) => {
          setReveal(undefined);
          setHeld((before) => (top ? undefined : before ?? newest));
        }}
      />
      <Detail book={book} entity={entity} service={service} at={at} settled={settled} last={newest} query={query} onGo={goTo} />
    </div>
  );
}
