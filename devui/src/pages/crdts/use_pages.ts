// A long list of the server's, page by page, of which those that are seen can be loaded anew.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../../api/client';
import { connection } from '../../state/live';
import { useStore } from '../../state/store';

export interface Page<Row> {
  rows: Row[];
  // Empty on the last page.
  next: string;
}

type LoadPage<Row> = (token: string, signal: AbortSignal) => Promise<Page<Row>>;

type Kept<Row> = Page<Row> & { token: string };

interface State<Row> {
  key: string;
  pages: Kept<Row>[];
  error?: ApiError;
}

const AHEAD = 30;

// Begins anew when `key` changes. `see(first, last)` loads what is missing behind the rows that are seen, `refresh()` those again.
export function usePages<Row>(key: string, load: LoadPage<Row>) {
  const [state, setState] = useState<State<Row>>({ key, pages: [] });
  const { epoch } = useStore(connection);
  const now = useRef(state);
  const seen = useRef({ first: 0, last: 0 });
  const busy = useRef(false);
  const again = useRef(false);
  const abort = useRef(new AbortController());
  const loader = useRef(load);
  loader.current = load;

  const put = (next: State<Row>) => {
    now.current = next;
    setState(next);
  };

  // One at a time.
  const work = useCallback(async (job: (signal: AbortSignal) => Promise<void>) => {
    if (busy.current) return;
    busy.current = true;
    const { signal } = abort.current;
    try {
      await job(signal);
    } catch (error) {
      if (!signal.aborted) put({ ...now.current, error: asApiError(error) });
    } finally {
      if (!signal.aborted) {
        busy.current = false;
        if (again.current) refresh();
      }
    }
  }, []);

  const more = useCallback(async (signal: AbortSignal) => {
    for (;;) {
      const { pages } = now.current;
      const token = pages.length === 0 ? '' : pages.at(-1)!.next;
      const count = pages.reduce((sum, { rows }) => sum + rows.length, 0);
      if (pages.length > 0 && (token === '' || seen.current.last + AHEAD < count)) return;
      const page = await loader.current(token, signal);
      if (signal.aborted) return;
      put({ key: now.current.key, pages: [...now.current.pages, { ...page, token }] });
    }
  }, []);

  const renew = useCallback(async (signal: AbortSignal) => {
    let at = 0;
    for (let i = 0; i < now.current.pages.length; ++i) {
      const { token, rows } = now.current.pages[i]!;
      const visible = at <= seen.current.last && at + rows.length >= seen.current.first;
      at += rows.length;
      if (!visible) continue;
      const page = await loader.current(token, signal);
      if (signal.aborted) return;
      // Where the next page begins elsewhere now, it is loaded again.
      const after = now.current.pages.slice(i + 1);
      put({ key: now.current.key, pages: [...now.current.pages.slice(0, i), { ...page, token }, ...(after[0]?.token === page.next ? after : [])] });
    }
    await more(signal);
  }, []);

  // What changes while something is loaded is loaded after that.
  const refresh = useCallback(() => {
    again.current = busy.current;
    void work(renew);
  }, []);

  const see = useCallback((first: number, last: number) => {
    seen.current = { first, last };
    void work(more);
  }, []);

  useEffect(() => {
    abort.current = new AbortController();
    busy.current = again.current = false;
    seen.current = { first: 0, last: 0 };
    // A list that is only loaded again stays until then.
    if (now.current.key !== key) put({ key, pages: [] });
    if (now.current.pages.length > 0) refresh();
    else void work(more);
    return () => abort.current.abort();
  }, [key, epoch]);

  const rows = state.key === key ? state.pages.flatMap((page) => page.rows) : [];
  const last = state.key === key ? state.pages.at(-1) : undefined;
  return { rows, complete: last?.next === '', loaded: last !== undefined, error: state.error, see, refresh };
}
