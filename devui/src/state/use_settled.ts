import { useEffect, useRef, useState } from 'preact/hooks';
import { setQuery } from '../router';

// Browsers refuse to change the address many times a second.
const SETTLED_MS = 120;

// What changes with each key: here at once, in the address's query soon after, as `param`; null is not in it. `asked` is what the
// address says; where that is undefined, what is here stays.
export function useSettled<T extends string | number>(param: string, asked: T | null | undefined): [T | null, (value: T | null) => void] {
  const [value, setValue] = useState(asked ?? null);
  const timer = useRef(0);
  useEffect(() => {
    if (timer.current === 0 && asked !== undefined) setValue(asked);
  }, [asked]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const change = (next: T | null) => {
    setValue(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      setQuery({ [param]: next });
    }, SETTLED_MS);
  };
  return [value, change];
}
