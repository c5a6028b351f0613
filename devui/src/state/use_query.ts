import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, type ApiError } from '../api/client';
import { connection } from './live';
import { useStore } from './store';

export interface QueryResult<T> {
  // The last that was loaded, also while it is loaded again or when that failed.
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  // Asks anew. While an answer is on its way it waits for that one: however often this is called, answers come.
  reload(): void;
}

// Loads when `key` changes (undefined: nothing to load), when the emulator is there again, and `interval` milliseconds after each
// answer if given, while the page is seen. What belongs to another key is forgotten.
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
  const asking = useRef(false);
  const again = useRef(false);

  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    asking.current = true;
    again.current = false;
    const goesOn = () => {
      asking.current = false;
      if (again.current) setTurn((before) => before + 1);
      return again.current;
    };
    setResult((before) => (before.key === key ? { ...before, loading: true } : { key, loading: true }));
    loader.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setResult({ key, data, loading: goesOn() });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const loading = goesOn();
        setResult((before) => ({ ...before, key, error: asApiError(error), loading }));
      },
    );
    return () => {
      asking.current = false;
      abort.abort();
    };
  }, [key, turn, epoch]);

  const own = result.key === key && key !== undefined;
  const answered = own && !result.loading;
  useEffect(() => {
    if (interval === undefined || !answered) return;
    const timer = window.setInterval(() => {
      if (!document.hidden) setTurn((before) => before + 1);
    }, interval);
    return () => window.clearInterval(timer);
  }, [interval, answered]);

  const reload = useCallback(() => {
    if (asking.current) again.current = true;
    else setTurn((before) => before + 1);
  }, []);
  return { data: own ? result.data : undefined, error: own ? result.error : undefined, loading: own ? result.loading : key !== undefined, reload };
}

// The last that there was, also while there is none.
export function useLast<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return last.current;
}
