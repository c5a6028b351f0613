// What is said about replicas, in words.
import type { CrdtDifferenceJson, CrdtJson, CrdtTransferJson, CrdtWritesJson, PayloadJson } from '../../api/contract';
import { durationMs, formatBytes, formatDuration, num, plural } from '../../ui/format';
import { type Json, parseJson } from '../../ui/json_view';

export const nodeList = (nodes: number[]): string => `${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`;

// "6 on nodes 1, 2; 15 on node 3", or the value that all have.
export function valuesText({ values = [], deleted }: CrdtJson): string {
  const groups = new Map<string, number[]>();
  for (const { node = 0, value } of values) {
    const text = value?.text ?? (deleted ? 'deleted' : 'nothing');
    groups.set(text, [...(groups.get(text) ?? []), node]);
  }
  if (groups.size === 1) return [...groups.keys()][0]!;
  return [...groups].map(([text, nodes]) => `${text} on ${nodeList(nodes)}`).join('; ');
}

// "1-3, 5"
export const rangesText = ({ ranges = [] }: CrdtWritesJson): string =>
  ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(', ');

const writesText = (writes: CrdtWritesJson[]): string =>
  writes.map((each) => {
    const { ranges = [] } = each;
    const one = ranges.length === 1 && ranges[0]!.first === ranges[0]!.last;
    return `${one ? 'write' : 'writes'} ${rangesText(each)} of node ${each.node}${num(each.incarnation) > 1 ? `, life ${each.incarnation}` : ''}`;
  }).join(' and ');

export function transferText({ number, bytes, age, dueChanges, dueBytes, dueWhole }: CrdtTransferJson): string {
  const parts: string[] = [];
  if (num(number) > 0) parts.push(`change ${number}, ${formatBytes(num(bytes))}, on its way for ${formatDuration(Math.round(durationMs(age)))}`);
  if (num(dueChanges) > 0) {
    const what = dueWhole ? 'the whole state' : plural(num(dueChanges), 'change');
    parts.push(`${what}, ${formatBytes(num(dueBytes))}, due${num(number) > 0 ? ' when that is acknowledged' : ''}`);
  }
  return parts.join('; ');
}

interface Lack {
  what: string;
  reasons: string[];
}

// What nodes lack, each thing once, with all that keeps it from them.
export function lacksOf(differences: CrdtDifferenceJson[]): Lack[] {
  const lacks = new Map<string, { knownBy: number[]; reasons: Set<string> }>();
  for (const each of differences) {
    const { node, knownBy = 0, missing = [], deletion, reasons = [] } = each;
    const what = knownBy === 0 ? `Node ${node} has no replica` : deletion ? `Node ${node} does not know that it is deleted` : `Node ${node} lacks ${writesText(missing)}`;
    const lack = lacks.get(what) ?? { knownBy: [], reasons: new Set<string>() };
    if (knownBy !== 0) lack.knownBy.push(knownBy);
    for (const { text = '' } of reasons) lack.reasons.add(text);
    lacks.set(what, lack);
  }
  return [...lacks].map(([what, { knownBy, reasons }]) => ({
    what: knownBy.length === 0 ? what : `${what}, which ${nodeList(knownBy)} ${knownBy.length === 1 ? 'has' : 'have'}`,
    reasons: [...reasons],
  }));
}

const MOST_TEXT = 64;

// A payload in one short line: strings as they are, objects as "author: ann, text: hi".
export function payloadText(payload: PayloadJson | undefined): string {
  const text = inShort(parseJson(payload?.json));
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}

function inShort(value: Json | undefined): string {
  if (value === undefined) return 'no value';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return JSON.stringify(value);
  return Object.entries(value).map(([key, each]) => `${key}: ${typeof each === 'object' ? JSON.stringify(each) : String(each)}`).join(', ') || '{}';
}

export const payloadKey = (payload: PayloadJson | undefined): string => `${payload?.typeUrl} ${payload?.value}`;
