import { useEffect, useRef, useState } from 'preact/hooks';
import type { Query } from '../../api/client';
import { useWatch } from '../../state/use_watch';

const PAUSE_MS = 1_000;

// Tells that something has changed, at most once a second: after each change nothing is listened to for a while, so that a
// stream of thousands a second costs nothing. What was missed meanwhile is told when it has begun to listen again.
export function useChanges(to: string, query: Query, changed: () => void): void {
  const [listening, setListening] = useState(true);
  const timer = useRef(0);
  useWatch<{ kind?: string }>(listening ? to : undefined, query, (batch) => {
    changed();
    if (batch.every(({ kind }) => kind === 'watching')) return;
    setListening(false);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setListening(true), PAUSE_MS);
  });
  useEffect(() => () => window.clearTimeout(timer.current), []);
}
