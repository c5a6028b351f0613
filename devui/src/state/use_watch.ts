import { useEffect, useRef, useState } from 'preact/hooks';
import type { Query } from '../api/client';
import { watch, type WatchState } from '../api/watch';

// Watches a stream while the component is there; anew when path or query change; not at all while `to` is undefined. What came for
// another path or query is never handed on.
export function useWatch<T>(to: string | undefined, query: Query, messages: (batch: T[]) => void): WatchState {
  const [state, setState] = useState<WatchState>('connecting');
  const key = JSON.stringify([to, query]);
  const latest = useRef({ key, messages });
  latest.current = { key, messages };
  useEffect(() => {
    if (to === undefined) return;
    return watch<T>(to, query, {
      messages: (batch) => {
        if (latest.current.key === key) latest.current.messages(batch);
      },
      state: setState,
    });
  }, [key]);
  return state;
}
