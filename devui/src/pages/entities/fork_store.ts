// Forks live in this tab of the browser only, and are gone with it.
import type { PayloadJson, ReplayOutcomeJson } from '../../api/contract';

export interface ForkStep {
  service: string;
  method: string;
  json: string;
  outcome: ReplayOutcomeJson;
}

export interface Fork {
  persistenceId: string;
  entityId: string;
  // The last of the entity's own events.
  point: number;
  steps: ForkStep[];
}

const KEY = 'cloudstate-dev.fork.';
// Their ids, oldest first.
const ALL = 'cloudstate-dev.forks';
const KEPT = 20;

export const newForkId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(5))].map((each) => each.toString(16).padStart(2, '0')).join('');

export function loadFork(id: string): Fork | undefined {
  try {
    const text = sessionStorage.getItem(KEY + id);
    return text === null ? undefined : (JSON.parse(text) as Fork);
  } catch {
    return undefined; // a browser that keeps nothing
  }
}

// Whether it is kept: the browser has little room, so only the newest are.
export function saveFork(id: string, fork: Fork): boolean {
  try {
    const ids = (JSON.parse(sessionStorage.getItem(ALL) ?? '[]') as string[]).filter((each) => each !== id);
    ids.push(id);
    for (const old of ids.splice(0, ids.length - KEPT)) sessionStorage.removeItem(KEY + old);
    sessionStorage.setItem(ALL, JSON.stringify(ids));
    sessionStorage.setItem(KEY + id, JSON.stringify(fork));
    return true;
  } catch {
    return false;
  }
}

export interface ForkEvent {
  sequence: number;
  payload: PayloadJson;
  // Of the command that stored it.
  step: number;
}

export function eventsOf(fork: Fork): ForkEvent[] {
  const stored = fork.steps.flatMap(({ outcome }, step) => (outcome.events ?? []).map((payload) => ({ payload, step })));
  return stored.map((event, i) => ({ ...event, sequence: fork.point + i + 1 }));
}
