// The newest lines that fit a filter: followed, or held still while somebody reads.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLineJson } from '../../api/contract';
import { useWatch } from '../../state/use_watch';
import { num, timeMs } from '../../ui/format';

interface LogFilter {
  source: string;
  level: string;
  contains: string;
}

// As many as the emulator keeps, and as a watch begins with: what came while nothing was watched leaves no hole.
export const KEPT_LINES = 10_000;
// How often what has come is put to the rest, which is copied then.
const THROTTLE = 100;

// A watch that was opened again begins with lines that are there already; those of a new run count from 1 again, but are younger.
function joined(kept: LogLineJson[], batch: LogLineJson[]): LogLineJson[] {
  const last = kept.at(-1);
  const news = last === undefined ? batch : batch.filter(({ number, time }) => num(number) > num(last.number) || timeMs(time) > timeMs(last.time));
  return news.length === 0 ? kept : [...kept, ...news].slice(-KEPT_LINES);
}

interface LogLines {
  lines: LogLineJson[];
  // What is shown is what fits the filter; before that it is what fitted the one before.
  answered: boolean;
  // How many have come since it is held.
  held: number;
  // What was there at the beginning has come.
  settled: boolean;
}

// How long an open watch may say nothing until it is taken for having nothing.
const SILENCE = 300;
// How long the lines that are there already may take, where new ones come all the time.
const PATIENCE = 5_000;

export function useLogLines(filter: LogFilter, following: boolean): LogLines {
  const [lines, setLines] = useState<LogLineJson[]>([]);
  const [held, setHeld] = useState(0);
  const [answered, setAnswered] = useState(false);
  const [settled, setSettled] = useState(false);
  const newest = useRef<LogLineJson[]>([]);
  const pending = useRef<LogLineJson[]>([]);
  const timer = useRef(0);
  const key = JSON.stringify(filter);
  const take = useRef(() => {});
  take.current = () => {
    timer.current = 0;
    const before = newest.current;
    newest.current = joined(before, pending.current);
    const news = pending.current.length;
    pending.current = [];
    if (following || !answered) setLines(newest.current);
    else if (newest.current !== before) setHeld((count) => Math.min(KEPT_LINES, count + news));
    setAnswered(true);
  };
  const state = useWatch<LogLineJson>(
    '/v1/logs:watch',
    { newest: KEPT_LINES, 'filter.source': filter.source, 'filter.level': filter.level, 'filter.contains': filter.contains },
    (batch) => {
      for (const line of batch) pending.current.push(line);
      if (timer.current === 0) timer.current = window.setTimeout(() => take.current(), THROTTLE);
    },
  );
  useEffect(() => {
    newest.current = [];
    pending.current = [];
    setAnswered(false);
    setHeld(0);
    return () => {
      window.clearTimeout(timer.current);
      timer.current = 0;
    };
  }, [key]);
  useEffect(() => {
    if (state !== 'open' || answered) return;
    const silent = window.setTimeout(() => {
      setLines(newest.current);
      setAnswered(true);
    }, SILENCE);
    return () => window.clearTimeout(silent);
  }, [state, answered, key]);
  useEffect(() => {
    if (!answered) return;
    const silent = window.setTimeout(() => setSettled(true), SILENCE);
    return () => window.clearTimeout(silent);
  }, [answered, lines]);
  useEffect(() => {
    if (!answered) return;
    const long = window.setTimeout(() => setSettled(true), PATIENCE);
    return () => window.clearTimeout(long);
  }, [answered]);
  useEffect(() => {
    if (!following) return;
    if (newest.current.length > 0) setLines(newest.current);
    setHeld(0);
  }, [following]);
  return { lines, answered, held, settled };
}
