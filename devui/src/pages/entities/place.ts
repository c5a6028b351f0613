// How far down a list somebody was, and at which row: kept with this step of the history, for the way back.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Place {
  top: number;
  row: number | undefined;
}

// Browsers refuse to change the history many times a second.
const SETTLED = 120;

// `table` is for the element around the table, `key` tells which rows are listed; `ready` when they are there.
export function usePlace(key: string, ready: boolean) {
  const table = useRef<HTMLDivElement>(null);
  const [before] = useState(() => (history.state as { place?: Place } | null)?.place);
  const [row, setRow] = useState(before?.row);
  const first = useRef(key);
  const timer = useRef(0);
  const grid = () => table.current?.querySelector('[role=grid]');
  const keep = (at: number | undefined) => {
    window.clearTimeout(timer.current);
    const place: Place = { top: grid()?.scrollTop ?? 0, row: at };
    history.replaceState({ place }, '');
  };
  // The rows there are fetched because they are seen.
  useLayoutEffect(() => {
    if (ready && before !== undefined && grid()) grid()!.scrollTop = before.top;
  }, [ready]);
  useEffect(() => {
    if (first.current !== key) setRow(undefined);
    first.current = key;
  }, [key]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const scrolled = () => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(keep, SETTLED, row);
  };
  const chosen = (next: number) => {
    setRow(next);
    keep(next);
  };
  return { table, row, scrolled, chosen };
}
