// What time travel and forks ask of the emulator.
import { rpc } from '../../api/client';
import type { ReplayRequestJson, ReplayResponseJson, StatusJson } from '../../api/contract';

export const replay = (request: ReplayRequestJson, signal?: AbortSignal) => rpc<ReplayResponseJson>('Replays/Replay', request, signal);

// Why nothing can be asked of the user function now.
export function refusal(status: StatusJson | undefined, methods: number): string | undefined {
  if (status?.readOnly) return 'The emulator runs with --read-only: nothing calls the user function from here.';
  if (status !== undefined && status.userFunction?.state !== 'READY') return 'The user function is not there. Start it, and this goes on.';
  if (methods === 0) return 'No method of the user function that runs now takes one message for this entity.';
  return undefined;
}

// Which method was used last with a service, for the next time.
const KEY = 'cloudstate-dev.method.';

export function rememberedMethod(service: string): string | undefined {
  try {
    return localStorage.getItem(KEY + service) ?? undefined;
  } catch {
    return undefined; // a browser that keeps nothing
  }
}

export function rememberMethod(service: string, method: string): void {
  try {
    localStorage.setItem(KEY + service, method);
  } catch {
    // It is chosen again the next time.
  }
}
