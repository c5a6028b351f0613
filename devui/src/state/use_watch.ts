import { useEffect, useRef, useState } from 'preact/hooks';
import type { Query } from '../api/client';
import { watch, type WatchState } from '../api/watch';

// Watches a stream while the component is there; anew when path or query change; not at all while `to` is undefined.
export function useWatch<T>(to: string | undefined, query: Query, messages: (batch: T[]) => void): WatchState {
  const [state, setState] = useState<WatchState>('connecting');
  const handler = useRef(messages);
  handler.current = messages;
  const key = JSON.stringify(query);
  useEffect(() => {
    if (to === undefined) return;
    return watch<T>(to, JSON.parse(key) as Query, { messages: (batch) => handler.current(batch), state: setState });
  }, [to, key]);
  return state;
}
