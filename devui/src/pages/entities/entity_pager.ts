// The rows of a list whose pages are found one behind the other only: what was walked over is remembered by its tokens, rows far
// from those that are seen are dropped and fetched again when they are wanted.
import { type ApiError, asApiError, get, type Query } from '../../api/client';
import type { EntityJson, ListEntitiesResponseJson } from '../../api/contract';
import { num } from '../../ui/format';

// Rows that are fetched and dropped together.
const BLOCK = 200;
const MOST_BLOCKS = 60;
// The longest page that the emulator gives.
const LONGEST_PAGE = 1_000;

export interface PagerState {
  count: number;
  // The first page has come.
  ready: boolean;
  // While it walks on to rows far below: how far it has come, and where it goes.
  walk: { at: number; to: number } | undefined;
  error: ApiError | undefined;
}

export class EntityPager {
  state: PagerState = { count: 0, ready: false, walk: undefined, error: undefined };
  private readonly blocks = new Map<number, EntityJson[]>();
  // Where pages begin, in order, with their tokens.
  private readonly starts: { row: number; token: string }[] = [{ row: 0, token: '' }];
  private wanted = { first: 0, last: 0 };
  private working = false;
  private readonly abort = new AbortController();

  constructor(private readonly filter: Query, private readonly changed: (state: PagerState) => void) {}

  close(): void {
    this.abort.abort();
  }

  row(index: number): EntityJson | undefined {
    return this.blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK];
  }

  // Tells which rows are seen.
  want(first: number, last: number): void {
    this.wanted = { first, last };
    if (this.state.error === undefined) void this.work();
  }

  // Stays where it has come to.
  stop(): number {
    const { row } = this.starts.at(-1)!;
    this.wanted = { first: Math.max(0, row - 1), last: Math.max(0, row - 1) };
    return this.wanted.first;
  }

  retry(): void {
    this.tell({ error: undefined });
    void this.work();
  }

  private tell(changes: Partial<PagerState>): void {
    this.state = { ...this.state, ...changes };
    if (!this.abort.signal.aborted) this.changed(this.state);
  }

  private missing(): number | undefined {
    const last = this.state.ready ? Math.min(this.wanted.last, this.state.count - 1) : this.wanted.last;
    for (let row = this.wanted.first; row <= last; ++row) {
      if (this.row(row) === undefined) return row;
    }
    return undefined;
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      for (let row = this.missing(); row !== undefined && !this.abort.signal.aborted; row = this.missing()) await this.step(row);
      this.tell({ walk: undefined });
    } catch (error) {
      const problem = asApiError(error);
      this.tell({ walk: undefined, error: problem });
    } finally {
      this.working = false;
    }
  }

  // Fetches one page: the one with the row, or the next one on the way there.
  private async step(row: number): Promise<void> {
    const start = this.startBefore(row);
    const size = Math.min(LONGEST_PAGE, Math.max(BLOCK, Math.ceil((row + 1 - start.row) / BLOCK) * BLOCK));
    this.tell({ walk: row - start.row > LONGEST_PAGE ? { at: start.row, to: row } : undefined });
    const page = await get<ListEntitiesResponseJson>(
      '/v1/entities', { ...this.filter, page_size: size, page_token: start.token }, this.abort.signal);
    const entities = page.entities ?? [];
    entities.forEach((entity, i) => this.put(start.row + i, entity));
    this.drop(start.row, start.row + entities.length);
    const next = start.row + entities.length;
    if (page.nextPageToken) this.remember(next, page.nextPageToken);
    const known = start.row === 0 ? num(page.total) : this.state.count;
    this.tell({ ready: true, count: page.nextPageToken ? Math.max(known, next + 1) : next });
  }

  private startBefore(row: number) {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]!.row <= row) low = middle;
      else high = middle;
    }
    return this.starts[low]!;
  }

  private remember(row: number, token: string): void {
    const before = this.starts.indexOf(this.startBefore(row));
    if (this.starts[before]!.row !== row) this.starts.splice(before + 1, 0, { row, token });
  }

  private put(row: number, entity: EntityJson): void {
    const number = Math.floor(row / BLOCK);
    let block = this.blocks.get(number);
    if (block === undefined) this.blocks.set(number, (block = []));
    block[row % BLOCK] = entity;
  }

  // Those that came in longest ago go first, but none that has just come or is seen.
  private drop(first: number, last: number): void {
    for (const number of this.blocks.keys()) {
      if (this.blocks.size <= MOST_BLOCKS) return;
      const from = number * BLOCK;
      const near = (low: number, high: number) => from <= high && from + BLOCK > low;
      if (!near(first, last) && !near(this.wanted.first, this.wanted.last)) this.blocks.delete(number);
    }
  }
}
