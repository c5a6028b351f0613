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

// Where it is stale it is loaded again once it is seen.
type Kept<Row> = Page<Row> & { token: string; stale?: boolean };

interface State<Row> {
  key: string;
  pages: Kept<Row>[];
  error?: ApiError;
}

const AHEAD = 30;

// Begins anew when `key` changes. `see(first, last)` loads what is missing behind the rows that are seen; after `refresh()`
// each page is loaded again when it is seen.
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

  // First the stale pages that are seen, then those that are missing behind them.
  const fill = useCallback(async (signal: AbortSignal) => {
    for (;;) {
      const { pages } = now.current;
      let count = 0;
      const stale = pages.findIndex((page) => {
        const begin = count;
        count += page.rows.length;
        return page.stale && begin <= seen.current.last && count >= seen.current.first;
      });
      const at = stale < 0 ? pages.length : stale;
      const token = at < pages.length ? pages[at]!.token : pages.at(-1)?.next ?? '';
      if (stale < 0 && pages.length > 0 && (token === '' || seen.current.last + AHEAD < count)) return;
      const page = await loader.current(token, signal);
      if (signal.aborted) return;
      // Where the next page begins elsewhere now, it is loaded again.
      const after = pages.slice(at + 1);
      put({ key: now.current.key, pages: [...pages.slice(0, at), { ...page, token }, ...(after[0]?.token === page.next ? after : [])] });
    }
  }, []);

  // What changes while something is loaded is loaded after that.
  const refresh = useCallback(() => {
    again.current = busy.current;
    if (!busy.current) for (const page of now.current.pages) page.stale = true;
    void work(fill);
  }, []);

  const see = useCallback((first: number, last: number) => {
    seen.current = { first, last };
    void work(fill);
  }, []);

  useEffect(() => {
    abort.current = new AbortController();
    busy.current = again.current = false;
    seen.current = { first: 0, last: 0 };
    // A list that is only loaded again stays until then.
    if (now.current.key !== key) put({ key, pages: [] });
    if (now.current.pages.length > 0) refresh();
    else void work(fill);
    return () => abort.current.abort();
  }, [key, epoch]);

  const rows = state.key === key ? state.pages.flatMap((page) => page.rows) : [];
  const last = state.key === key ? state.pages.at(-1) : undefined;
  return { rows, complete: last?.next === '', loaded: last !== undefined, error: state.error, see, refresh };
}
