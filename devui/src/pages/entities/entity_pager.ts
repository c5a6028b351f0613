// The rows of a list that may be a million long: those that are seen are fetched, behind the page before them where it is known,
// otherwise by their place. Rows far from those are dropped and fetched again when they are wanted.
import { type ApiError, asApiError, get, type Query } from '../../api/client';
import type { EntityJson, ListEntitiesResponseJson } from '../../api/contract';
import { num } from '../../ui/format';

// Rows that are fetched and dropped together.
const BLOCK = 200;
const MOST_BLOCKS = 60;

export interface PagerState {
  count: number;
  // The first page has come.
  ready: boolean;
  error: ApiError | undefined;
}

export class EntityPager {
  state: PagerState = { count: 0, ready: false, error: undefined };
  private readonly blocks = new Map<number, EntityJson[]>();
  // By the block that follows: what names it.
  private readonly tokens = new Map<number, string>([[0, '']]);
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

  retry(): void {
    this.tell({ error: undefined });
    void this.work();
  }

  private tell(changes: Partial<PagerState>): void {
    this.state = { ...this.state, ...changes };
    if (!this.abort.signal.aborted) this.changed(this.state);
  }

  // How many there are is told with the first block.
  private missing(): number | undefined {
    if (!this.state.ready) return 0;
    const { first, last } = this.wanted;
    for (let row = first; row <= Math.min(last, this.state.count - 1); ++row) {
      if (this.row(row) === undefined) return Math.floor(row / BLOCK);
    }
    return undefined;
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      for (let block = this.missing(); block !== undefined && !this.abort.signal.aborted; block = this.missing()) await this.fetch(block);
    } catch (error) {
      this.tell({ error: asApiError(error) });
    } finally {
      this.working = false;
    }
  }

  private async fetch(block: number): Promise<void> {
    const begin = block * BLOCK;
    const page = await get<ListEntitiesResponseJson>(
      '/v1/entities', { ...this.filter, page_size: BLOCK, page_token: this.tokens.get(block) ?? `@${begin}` }, this.abort.signal);
    const entities = page.entities ?? [];
    if (entities.length === 0 && block > 0) {
      // The list has become shorter than that: how long it is now is told with its first page.
      await this.fetch(0);
      return this.tell({ count: Math.min(this.state.count, begin) });
    }
    this.blocks.delete(block);
    this.blocks.set(block, entities);
    this.drop(block);
    const next = begin + entities.length;
    if (page.nextPageToken) this.tokens.set(block + 1, page.nextPageToken);
    const known = block === 0 ? num(page.total) : this.state.count;
    this.tell({ ready: true, count: page.nextPageToken ? Math.max(known, next + 1) : next });
  }

  // Those that came in longest ago go first, but none that has just come or is seen.
  private drop(fresh: number): void {
    for (const block of this.blocks.keys()) {
      if (this.blocks.size <= MOST_BLOCKS) return;
      const seen = block * BLOCK <= this.wanted.last && (block + 1) * BLOCK > this.wanted.first;
      if (block !== fresh && !seen) this.blocks.delete(block);
    }
  }
}
