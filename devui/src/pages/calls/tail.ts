// The newest calls that came, in a ring: to take one costs the same however many there are.
import type { CommandTraceJson, WatchCommandsResponseJson } from '../../api/contract';
import { num } from '../../ui/format';

export interface TailRow {
  // Counts the calls that came.
  number: number;
  call: CommandTraceJson;
}

export const KEPT_CALLS = 2_000;
const WINDOW_MS = 2_000;

export class Tail {
  #rows: TailRow[] = [];
  #taken = 0;
  // What was left out lately: by it the page tells how many it shows.
  #windows: { from: number; shown: number; missed: number }[] = [];
  // The ids of the rows. A watch that was opened again begins with calls that are there already.
  #known = new Set<string>();

  get taken(): number {
    return this.#taken;
  }

  push(batch: WatchCommandsResponseJson[], now: number): void {
    for (const { command, missed } of batch) {
      if (command === undefined || this.#known.has(command.traceId ?? '')) continue;
      const place = this.#taken % KEPT_CALLS;
      const replaced = this.#rows[place]?.call.traceId;
      if (replaced !== undefined) this.#known.delete(replaced);
      this.#known.add(command.traceId ?? '');
      this.#rows[place] = { number: this.#taken++, call: command };
      this.#count(now, num(missed));
    }
  }

  // 0 is the newest when `taken` calls had come; undefined where it has been replaced since.
  row(index: number, taken = this.#taken): TailRow | undefined {
    const number = taken - 1 - index;
    const row = this.#rows[number % KEPT_CALLS];
    return row?.number === number ? row : undefined;
  }

  // All that are there of those `taken`, newest first.
  rows(taken: number): TailRow[] {
    const found = Array.from({ length: Math.min(taken, KEPT_CALLS) }, (_, index) => this.row(index, taken));
    return found.filter((row) => row !== undefined);
  }

  // One of how many calls is shown; 1 for all.
  oneOf(now: number): number {
    const lately = this.#windows.filter(({ from }) => from > now - 2 * WINDOW_MS);
    const shown = lately.reduce((sum, each) => sum + each.shown, 0);
    const missed = lately.reduce((sum, each) => sum + each.missed, 0);
    return shown === 0 ? 1 : (shown + missed) / shown;
  }

  #count(now: number, missed: number): void {
    let last = this.#windows.at(-1);
    if (last === undefined || now - last.from > WINDOW_MS) {
      last = { from: now, shown: 0, missed: 0 };
      this.#windows = [...this.#windows.slice(-2), last];
    }
    ++last.shown;
    last.missed += missed;
  }
}
