import { useEffect, useRef } from 'preact/hooks';

// More often would only ask in vain.
const LEAST_BETWEEN_MS = 300;

// Calls at once, then at most every so often.
export function useSoon(act: () => void): () => void {
  const timer = useRef(0);
  const again = useRef(false);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const run = () => {
    if (timer.current !== 0) {
      again.current = true;
      return;
    }
    act();
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      if (again.current) {
        again.current = false;
        run();
      }
    }, LEAST_BETWEEN_MS);
  };
  return run;
}
