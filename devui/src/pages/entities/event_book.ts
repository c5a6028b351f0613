// An entity's events by their sequence numbers: those that are looked at are fetched in pages, a bounded number is kept, and of large
// ones what a row shows.
import { type ApiError, asApiError, rpc } from '../../api/client';
import type { EventJson, ListEventsResponseJson, ListSnapshotsRequestJson, ListSnapshotsResponseJson, PayloadJson, SnapshotJson } from '../../api/contract';
import { num } from '../../ui/format';

const PAGE = 100;
const MOST_PAGES = 40;
// Characters beyond which an event is kept in brief, and those that are kept of its JSON then.
const LARGE = 16_000;
const BRIEF = 160;
// The point that is looked at, and the one that it is compared with.
const MOST_POINTS = 2;
const MOST_WHOLE = 8;

interface Page {
  events: Map<number, EventJson>;
  // Sequence numbers at which there is one.
  snapshots: Set<number>;
}

interface Range {
  first: number;
  last: number;
}

const pageOf = (sequence: number) => Math.floor((sequence - 1) / PAGE);
const sizeOf = (payload: PayloadJson | undefined) => (payload?.json ?? '').length + (payload?.value ?? '').length;
// A part of a text keeps all of it in memory; this one does not.
const beginningOf = (text: string) => JSON.parse(JSON.stringify(text.slice(0, BRIEF))) as string;

function brief({ payload, cause, ...event }: EventJson): EventJson {
  const { value: _bytes, json = '', ...type } = payload ?? {};
  const { command: _command, ...why } = cause ?? {};
  return { ...event, payload: { ...type, json: beginningOf(json) }, cause: why };
}

export class EventBook {
  error: ApiError | undefined;
  private readonly pages = new Map<number, Page>();
  // Of those that are kept in brief, the points and some others.
  private readonly whole = new Map<number, EventJson>();
  private readonly inBrief = new WeakSet<EventJson>();
  private rows: Range = { first: 1, last: 0 };
  private points: number[] = [];
  private working = false;
  // An answer ended early because its events are large: no more than is looked at is asked for from then on.
  private large = false;
  private readonly abort = new AbortController();

  constructor(readonly persistenceId: string, readonly entityId: string, private readonly changed: () => void) {}

  close(): void {
    this.abort.abort();
  }

  // What a row shows of it; `event` has all of it.
  row(sequence: number): EventJson | undefined {
    return this.pages.get(pageOf(sequence))?.events.get(sequence);
  }

  event(sequence: number): EventJson | undefined {
    const row = this.row(sequence);
    return row === undefined || this.inBrief.has(row) ? this.whole.get(sequence) : row;
  }

  hasSnapshot(sequence: number): boolean {
    return this.pages.get(pageOf(sequence))?.snapshots.has(sequence) ?? false;
  }

  // Tells which rows are seen: what is missing of them is fetched.
  wantRows(first: number, last: number): void {
    this.rows = { first: Math.max(1, first), last };
    void this.work();
  }

  // Fetches all of this one.
  want(sequence: number): void {
    this.points = [sequence, ...this.points.filter((each) => each !== sequence)].slice(0, MOST_POINTS);
    void this.work();
  }

  // One that a watch has told of.
  put(event: EventJson): void {
    const number = pageOf(num(event.sequence));
    const known = this.pages.has(number);
    const page = this.pageAt(number);
    this.enter(page, event);
    if (!known) this.keep(number, page);
  }

  markSnapshot(sequence: number): void {
    if (sequence > 0) this.pages.get(pageOf(sequence))?.snapshots.add(sequence);
  }

  retry(): void {
    this.error = undefined;
    this.changed();
  }

  private pageAt(number: number): Page {
    let page = this.pages.get(number);
    if (page === undefined) this.pages.set(number, (page = { events: new Map(), snapshots: new Set() }));
    return page;
  }

  private enter(page: Page, event: EventJson): void {
    const sequence = num(event.sequence);
    if (sizeOf(event.payload) + sizeOf(event.cause?.command) <= LARGE) {
      page.events.set(sequence, event);
      return;
    }
    const row = brief(event);
    this.inBrief.add(row);
    page.events.set(sequence, row);
    this.whole.set(sequence, event);
    for (const old of this.whole.keys()) {
      if (this.whole.size <= MOST_WHOLE) break;
      if (!this.points.includes(old)) this.whole.delete(old);
    }
  }

  // What to fetch, each of one page: first what is looked at, then rows, the newest page first.
  private *missing(): Generator<Range> {
    for (const point of this.points) {
      if (this.event(point) === undefined) yield this.rangeFrom(point, point);
    }
    const { first, last } = this.rows;
    for (let page = pageOf(last); page >= pageOf(first); --page) {
      const high = Math.min(last, (page + 1) * PAGE);
      let sequence = Math.max(first, page * PAGE + 1);
      while (sequence <= high && this.row(sequence) !== undefined) ++sequence;
      if (sequence <= high) yield this.rangeFrom(sequence, high);
    }
  }

  private rangeFrom(first: number, last: number): Range {
    const before = pageOf(first) * PAGE;
    return this.large ? { first, last } : { first: before + 1, last: before + PAGE };
  }

  private async work(): Promise<void> {
    if (this.working || this.error !== undefined) return;
    this.working = true;
    try {
      // What is still missing then is not there.
      const asked = new Set<string>();
      const next = () => {
        const ranges = new Map([...this.missing()].map((range) => [`${range.first}-${range.last}`, range]));
        asked.forEach((key) => ranges.delete(key));
        // Large ones one after the other: meanwhile others may be looked at.
        return [...ranges].slice(0, this.large ? 1 : Infinity);
      };
      for (let ranges = next(); ranges.length > 0; ranges = next()) {
        ranges.forEach(([key]) => asked.add(key));
        await Promise.all(ranges.map(([, range]) => this.fetch(range)));
      }
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = asApiError(error);
      this.changed();
    } finally {
      this.working = false;
    }
  }

  // Of one page.
  private async fetch({ first, last }: Range): Promise<void> {
    const { persistenceId, entityId } = this;
    const range = { persistenceId, entityId, fromSequence: first, limit: last - first + 1 };
    const marks = rpc<ListSnapshotsResponseJson>('Emulator/ListSnapshots', { ...range, brief: true }, this.abort.signal);
    marks.catch(() => undefined); // it is awaited below
    const { events = [], nextSequence } = await rpc<ListEventsResponseJson>('Emulator/ListEvents', range, this.abort.signal);
    if (events.length < range.limit && num(nextSequence) > 0) this.large = true;
    const number = pageOf(first);
    const page = this.pageAt(number);
    for (const event of events) this.enter(page, event);
    this.keep(number, page);
    this.changed();
    for (const { sequence } of (await marks).snapshots ?? []) page.snapshots.add(num(sequence));
    this.changed();
  }

  // Those that were fetched last are kept.
  private keep(number: number, page: Page): void {
    this.pages.delete(number);
    this.pages.set(number, page);
    for (const old of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) break;
      this.pages.delete(old);
    }
  }
}

// The newest snapshot at this sequence number or before, looked for in wider and wider ranges.
export async function snapshotUntil(
  persistenceId: string, entityId: string, sequence: number, signal: AbortSignal): Promise<SnapshotJson | undefined> {
  const list = (range: ListSnapshotsRequestJson) =>
    rpc<ListSnapshotsResponseJson>('Emulator/ListSnapshots', { persistenceId, entityId, ...range }, signal);
  for (let width = 128, high = sequence; high > 0; width *= 8) {
    const low = Math.max(1, high - width + 1);
    const { snapshots = [] } = await list({ fromSequence: String(low), limit: high - low + 1, brief: true });
    const found = snapshots.filter((each) => num(each.sequence) <= high).at(-1);
    if (found) {
      return (await list({ fromSequence: String(found.sequence), limit: 1 })).snapshots?.[0];
    }
    high = low - 1;
  }
  return undefined;
}
