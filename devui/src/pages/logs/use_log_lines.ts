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

const BEGIN_WITH = 1_000;
const KEPT = 5_000;

// A watch that was opened again begins with lines that are there already; those of a new run count from 1 again, but are younger.
function joined(kept: LogLineJson[], batch: LogLineJson[]): LogLineJson[] {
  const last = kept.at(-1);
  const news = last === undefined ? batch : batch.filter(({ number, time }) => num(number) > num(last.number) || timeMs(time) > timeMs(last.time));
  return news.length === 0 ? kept : [...kept, ...news].slice(-KEPT);
}

interface LogLines {
  lines: LogLineJson[];
  // What is shown is what fits the filter; before that it is what fitted the one before.
  answered: boolean;
  // How many have come since it is held.
  held: number;
}

// How long an open watch may say nothing until it is taken for having nothing.
const SILENCE = 300;

export function useLogLines(filter: LogFilter, following: boolean): LogLines {
  const [lines, setLines] = useState<LogLineJson[]>([]);
  const [held, setHeld] = useState(0);
  const [answered, setAnswered] = useState(false);
  const newest = useRef<LogLineJson[]>([]);
  const key = JSON.stringify(filter);
  const state = useWatch<LogLineJson>(
    '/v1/logs:watch',
    { newest: BEGIN_WITH, 'filter.source': filter.source, 'filter.level': filter.level, 'filter.contains': filter.contains },
    (batch) => {
      const before = newest.current;
      newest.current = joined(before, batch);
      if (following || !answered) setLines(newest.current);
      else if (newest.current !== before) setHeld((count) => Math.min(KEPT, count + batch.length));
      setAnswered(true);
    },
  );
  useEffect(() => {
    newest.current = [];
    setAnswered(false);
    setHeld(0);
  }, [key]);
  useEffect(() => {
    if (state !== 'open' || answered) return;
    const timer = window.setTimeout(() => {
      setLines(newest.current);
      setAnswered(true);
    }, SILENCE);
    return () => window.clearTimeout(timer);
  }, [state, answered, key]);
  useEffect(() => {
    if (!following) return;
    if (newest.current.length > 0) setLines(newest.current);
    setHeld(0);
  }, [following]);
  return { lines, answered, held };
}
