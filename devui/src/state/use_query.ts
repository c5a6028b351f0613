import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { connection } from './live';
import { useStore } from './store';

export interface QueryResult<T> {
  // The last that was loaded, also while it is loaded again or when that failed.
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload(): void;
}

// Loads when `key` changes (undefined: nothing to load), when the emulator is there again, and every `interval` milliseconds if
// given while the page is seen. What belongs to another key is forgotten.
export function useQuery<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  interval?: number,
): QueryResult<T> {
  const [result, setResult] = useState<{ key?: string; data?: T; error?: ApiError; loading: boolean }>({ loading: true });
  const [turn, setTurn] = useState(0);
  const { epoch } = useStore(connection);
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    setResult((before) => (before.key === key ? { ...before, loading: true } : { key, loading: true }));
    loader.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setResult({ key, data, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const problem = error instanceof ApiError ? error : new ApiError(String(error), 'PAGE');
        setResult((before) => ({ ...before, key, error: problem, loading: false }));
      },
    );
    return () => abort.abort();
  }, [key, turn, epoch]);

  useEffect(() => {
    if (interval === undefined || key === undefined) return;
    const timer = window.setInterval(() => {
      if (!document.hidden) setTurn((before) => before + 1);
    }, interval);
    return () => window.clearInterval(timer);
  }, [key, interval]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const own = result.key === key && key !== undefined;
  return { data: own ? result.data : undefined, error: own ? result.error : undefined, loading: own ? result.loading : key !== undefined, reload };
}
