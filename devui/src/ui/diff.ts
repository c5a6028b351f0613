// What differs between two JSON values, line by line.
import type { Json } from './json_view';

interface DiffLine {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

// Keys in order, so that only what differs in meaning differs.
export function linesOf(value: Json | undefined): string[] {
  if (value === undefined) return [];
  return JSON.stringify(sorted(value), null, 2).split('\n');
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
}

const MOST_CELLS = 4_000_000;

// The longest common subsequence; where both middles are too long for that, all of one is replaced by all of the other.
export function diffLines(before: string[], after: string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) ++start;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) ++end;
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ kind: 'same', text }));
  return [
    ...same(before.slice(0, start)),
    ...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(end === 0 ? [] : before.slice(-end)),
  ];
}

function diffMiddle(before: string[], after: string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: 'removed', text });
  const added = (text: string): DiffLine => ({ kind: 'added', text });
  if (before.length * after.length > MOST_CELLS || before.length === 0 || after.length === 0) {
    return [...before.map(removed), ...after.map(added)];
  }
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; --i) {
    for (let j = after.length - 1; j >= 0; --j) {
      longest[i * width + j] = before[i] === after[j]
        ? longest[(i + 1) * width + j + 1]! + 1
        : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ kind: 'same', text: before[i++]! });
      ++j;
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) {
      lines.push(removed(before[i++]!));
    } else {
      lines.push(added(after[j++]!));
    }
  }
  return [...lines, ...before.slice(i).map(removed), ...after.slice(j).map(added)];
}

// Runs of equal lines that are far from any difference, as a number.
type FoldedLine = DiffLine | { kind: 'folded'; count: number };

export function fold(lines: DiffLine[], context = 3): FoldedLine[] {
  const near = new Array<boolean>(lines.length).fill(false);
  lines.forEach(({ kind }, i) => {
    if (kind !== 'same') near.fill(true, Math.max(0, i - context), Math.min(lines.length, i + context + 1));
  });
  const folded: FoldedLine[] = [];
  lines.forEach((line, i) => {
    const last = folded.at(-1);
    if (near[i]) folded.push(line);
    else if (last?.kind === 'folded') ++last.count;
    else folded.push({ kind: 'folded', count: 1 });
  });
  return folded;
}
