// An entity's events by their sequence numbers: those that are looked at are fetched in pages, a bounded number is kept.
import { type ApiError, asApiError, rpc } from '../../api/client';
import type { EventJson, ListEventsResponseJson, ListSnapshotsRequestJson, ListSnapshotsResponseJson, SnapshotJson } from '../../api/contract';
import { num } from '../../ui/format';

const PAGE = 100;
const MOST_PAGES = 40;

interface Page {
  events: Map<number, EventJson>;
  // Sequence numbers at which there is one.
  snapshots: Set<number>;
}

const pageOf = (sequence: number) => Math.floor((sequence - 1) / PAGE);

export class EventBook {
  error: ApiError | undefined;
  private readonly pages = new Map<number, Page>();
  private readonly loading = new Map<number, Promise<void>>();
  private readonly abort = new AbortController();

  constructor(readonly persistenceId: string, readonly entityId: string, private readonly changed: () => void) {}

  close(): void {
    this.abort.abort();
  }

  event(sequence: number): EventJson | undefined {
    return this.pages.get(pageOf(sequence))?.events.get(sequence);
  }

  hasSnapshot(sequence: number): boolean {
    return this.pages.get(pageOf(sequence))?.snapshots.has(sequence) ?? false;
  }

  // Fetches what is missing of these.
  want(first: number, last: number): void {
    for (let page = pageOf(Math.max(1, first)); page <= pageOf(last); ++page) {
      const low = Math.max(first, page * PAGE + 1);
      const high = Math.min(last, (page + 1) * PAGE);
      for (let sequence = low; sequence <= high; ++sequence) {
        if (this.event(sequence) !== undefined) continue;
        void this.load(page);
        break;
      }
    }
  }

  // One that a watch has told of.
  put(event: EventJson): void {
    const number = pageOf(num(event.sequence));
    const known = this.pages.has(number);
    const page = this.pageAt(number);
    page.events.set(num(event.sequence), event);
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

  private async load(number: number): Promise<void> {
    if (this.loading.has(number) || this.error !== undefined) return;
    const work = this.fetch(number);
    this.loading.set(number, work);
    try {
      await work;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = asApiError(error);
    } finally {
      this.loading.delete(number);
    }
    this.changed();
  }

  private async fetch(number: number): Promise<void> {
    const { persistenceId, entityId } = this;
    const range = { persistenceId, entityId, fromSequence: number * PAGE + 1, limit: PAGE };
    const marks = rpc<ListSnapshotsResponseJson>('Emulator/ListSnapshots', { ...range, brief: true }, this.abort.signal);
    marks.catch(() => undefined); // it is awaited below
    const listed = await rpc<ListEventsResponseJson>('Emulator/ListEvents', range, this.abort.signal);
    const page = this.pageAt(number);
    for (const event of listed.events ?? []) page.events.set(num(event.sequence), event);
    this.keep(number, page);
    this.changed();
    for (const { sequence } of (await marks).snapshots ?? []) page.snapshots.add(num(sequence));
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
