import { useCallback, useMemo } from 'preact/hooks';
import type { EntityJson, EventJson } from '../../api/contract';
import { Badge, Button, Card, ErrorBox, Time } from '../../ui/basics';
import { formatCount, num, shortName } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { type Json, parseJson } from '../../ui/json_view';
import { type Column, ROW_HEIGHT, VirtualTable } from '../../ui/virtual_table';
import type { EventBook } from './event_book';
import { QuietCalls } from './quiet_calls';

// The plain values of a short payload, one behind the other: "p3 · Cheese · 4".
export function briefOf(json: string | undefined): string {
  if (json === undefined || json.length > 2_000) return json?.slice(0, 160) ?? '';
  const values: string[] = [];
  const collect = (value: Json | undefined) => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    else if (value !== undefined) values.push(String(value));
  };
  collect(parseJson(json));
  return values.slice(0, 20).join(' · ');
}

export const isDeletion = (event: EventJson | undefined): boolean =>
  (event?.payload?.typeUrl ?? '').endsWith('cloudstate.valueentity.ValueEntityDelete');

// What a value entity stores is its value, and that it was deleted.
export const EventName = ({ event }: { event: EventJson }) =>
  isDeletion(event) ? <Badge tone="warn">deleted</Badge> : <span>{shortName(event.payload?.typeUrl) || 'no type'}</span>;

// Where an event stands among those that one command stored; the newest is the first that is seen.
function placeOf(book: EventBook, event: EventJson): 'only' | 'first' | 'middle' | 'last' {
  const trace = event.cause?.traceId;
  if (!trace) return 'only';
  const same = (sequence: number) => book.row(sequence)?.cause?.traceId === trace;
  const above = same(num(event.sequence) + 1);
  const below = num(event.sequence) > 1 && same(num(event.sequence) - 1);
  if (above) return below ? 'middle' : 'last';
  return below ? 'first' : 'only';
}

const TOGETHER = { only: '', first: 'The last of the events that one command stored', middle: 'Of the same command', last: 'The first of its command' };

// A bracket over their rows.
const Together = ({ place }: { place: keyof typeof TOGETHER }) =>
  place === 'only' ? null : <span class={`together together-${place}`} role="img" aria-label={TOGETHER[place]} title={TOGETHER[place]} />;

function columnsFor(book: EventBook): Column<EventJson>[] {
  return [
    {
      key: 'sequence', title: 'Event', width: '94px', numeric: true,
      render: (event) => (
        <span class="event-number">
          {book.hasSnapshot(num(event.sequence)) && (
            <span class="event-snapshot" role="img" aria-label="Snapshot taken here" title="Snapshot taken here"><Icon name="snapshot" /></span>
          )}
          {formatCount(num(event.sequence))}
        </span>
      ),
    },
    {
      key: 'what', title: 'Stored', width: 'minmax(120px, 2fr)',
      render: (event) => (
        <>
          <Together place={placeOf(book, event)} />
          <EventName event={event} /> <span class="event-brief">{isDeletion(event) ? '' : briefOf(event.payload?.json)}</span>
        </>
      ),
    },
    {
      key: 'cause', title: 'Command', width: 'minmax(98px, 1fr)',
      render: (event) => {
        const place = placeOf(book, event);
        return place === 'only' || place === 'first' ? event.cause?.method : <span class="muted">″</span>;
      },
    },
    { key: 'time', title: 'Time', width: '112px', numeric: true, render: (event) => <Time time={event.time} /> },
  ];
}

export function TimeLine(props: {
  entity: EntityJson; book: EventBook; last: number; news: number; at: number; following: boolean; reveal: number | undefined;
  onSelect: (sequence: number) => void; onNewest: () => void; onTop: (top: boolean) => void;
}) {
  const { book, last, at } = props;
  const columns = useMemo(() => columnsFor(book), [book]);
  const visible = useCallback((first: number, lowest: number) => book.wantRows(last - lowest, last - first), [book, book.error, last]);
  return (
    <Card
      class="card-table time-line" label="Time line" title="Time line"
      actions={
        <>
          {props.news > 0 && (
            <Button small kind="primary" onClick={props.onNewest}>{formatCount(props.news)} new</Button>
          )}
          {props.news === 0 && (props.following ? <span class="muted">newest first, follows along</span> : <Button small kind="quiet" onClick={props.onNewest}>Follow the newest</Button>)}
        </>
      }
    >
      <QuietCalls entity={props.entity} />
      {book.error && <ErrorBox error={book.error} onRetry={() => book.retry()} />}
      <div class="time-line-rows" onScrollCapture={(event) => props.onTop((event.target as HTMLElement).scrollTop < ROW_HEIGHT)}>
        <VirtualTable
          label="Events" columns={columns} count={last} row={(i) => book.row(last - i)} rowKey={(event) => event.sequence ?? ''}
          selected={at > 0 && at <= last ? last - at : undefined} onSelect={(i) => props.onSelect(last - i)} onVisible={visible} scrollTo={props.reveal}
        />
      </div>
    </Card>
  );
}
