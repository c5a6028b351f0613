// What is written into the forms, and the calls of this tab: kept while the tab is there, bounded.
import { kept } from '../../state/kept';
import { createStore } from '../../state/store';

export interface Header {
  name: string;
  value: string;
}

export interface Draft {
  // The input message in JSON.
  text: string;
  headers: Header[];
  // "5s"; empty for none.
  deadline: string;
  // 0 for any.
  node: number;
}

export interface PastCall {
  // Milliseconds since 1970.
  time: number;
  service: string;
  method: string;
  draft: Draft;
  code: number | undefined;
  traceId: string;
}

const KEY = 'cloudstate-dev-calls';
const MOST_CALLS = 30;
const MOST_TEXT = 20_000;

const isPast = (each: PastCall | null) => typeof each?.draft?.text === 'string' && Array.isArray(each.draft.headers);
const keptCalls = kept(KEY, (found) => (Array.isArray(found) ? (found as PastCall[]).filter(isPast) : undefined), 'sessionStorage');

export const history = createStore<PastCall[]>(keptCalls.get() ?? []);

function set(calls: PastCall[]): void {
  history.set(calls);
  keptCalls.set(calls);
}

export function remember(call: PastCall): void {
  if (call.draft.text.length > MOST_TEXT) return;
  set([call, ...history.get().filter((each) => !isSame(each, call))].slice(0, MOST_CALLS));
}

export const forget = () => set([]);

const isSame = (a: PastCall, b: PastCall) =>
  a.service === b.service && a.method === b.method && JSON.stringify(a.draft) === JSON.stringify(b.draft);

// By "service/method", the newest last.
export const drafts = createStore<ReadonlyMap<string, Draft>>(new Map());
const MOST_DRAFTS = 20;
export const draftKey = (service: string, method: string) => `${service}/${method}`;

export function setDraft(key: string, draft: Draft): void {
  const others = [...drafts.get()].filter(([each]) => each !== key);
  drafts.set(new Map([...others, [key, draft] as const].slice(-MOST_DRAFTS)));
}
