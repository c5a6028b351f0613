// What is written into the forms, and the calls of this tab: kept while the tab is there, bounded.
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

function read(): PastCall[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as PastCall[];
    return Array.isArray(kept) ? kept.filter((each) => typeof each?.draft?.text === 'string' && Array.isArray(each.draft.headers)) : [];
  } catch {
    return []; // a browser that keeps nothing, or something else under this name
  }
}

export const history = createStore<PastCall[]>(read());

function set(calls: PastCall[]): void {
  history.set(calls);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(calls));
  } catch {
    // Kept for as long as the page is there.
  }
}

export function remember(call: PastCall): void {
  if (call.draft.text.length > MOST_TEXT) return;
  set([call, ...history.get().filter((each) => !isSame(each, call))].slice(0, MOST_CALLS));
}

export const forget = () => set([]);

const isSame = (a: PastCall, b: PastCall) =>
  a.service === b.service && a.method === b.method && JSON.stringify(a.draft) === JSON.stringify(b.draft);

// By "service/method".
export const drafts = createStore<ReadonlyMap<string, Draft>>(new Map());
export const draftKey = (service: string, method: string) => `${service}/${method}`;
export const setDraft = (key: string, draft: Draft) => drafts.set(new Map(drafts.get()).set(key, draft));
