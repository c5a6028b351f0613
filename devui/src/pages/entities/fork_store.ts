// Forks live in this tab of the browser only, and are gone with it.
import type { PayloadJson, ReplayOutcomeJson } from '../../api/contract';
import { kept } from '../../state/kept';

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

const keptFork = (id: string) => kept(`cloudstate-dev.fork.${id}`, (found) => found as Fork, 'sessionStorage');
// Oldest first.
const keptIds = kept('cloudstate-dev.forks', (found) => (Array.isArray(found) ? (found as string[]) : undefined), 'sessionStorage');
const KEPT = 20;

export const newForkId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(5))].map((each) => each.toString(16).padStart(2, '0')).join('');

export const loadFork = (id: string): Fork | undefined => keptFork(id).get();

// Whether it is kept: the browser has little room, so only the newest are.
export function saveFork(id: string, fork: Fork): boolean {
  const ids = [...(keptIds.get() ?? []).filter((each) => each !== id), id];
  for (const old of ids.splice(0, ids.length - KEPT)) keptFork(old).forget();
  return keptIds.set(ids) && keptFork(id).set(fork);
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
