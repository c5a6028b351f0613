// What time travel and forks ask of the emulator.
import { rpc } from '../../api/client';
import type { ReplayRequestJson, ReplayResponseJson, StatusJson } from '../../api/contract';
import { kept } from '../../state/kept';
import { isIdle } from '../../ui/user_function_state';

export const replay = (request: ReplayRequestJson, signal?: AbortSignal) => rpc<ReplayResponseJson>('Replays/Replay', request, signal);

// Why nothing can be asked of the user function now.
export function refusal(status: StatusJson | undefined, methods: number): string | undefined {
  if (status?.readOnly) return 'The emulator runs with --read-only: nothing calls the user function from here.';
  if (isIdle(status)) return 'The user function is scaled to zero. Have a replica started, and this goes on; the page Scaling tells how.';
  if (status !== undefined && status.userFunction?.state !== 'READY') return 'The user function is not there. Start it, and this goes on.';
  if (methods === 0) return 'No method of the user function that runs now takes one message for this entity.';
  return undefined;
}

// Which method was used last with a service, for the next time.
const lastMethod = (service: string) =>
  kept(`cloudstate-dev.method.${service}`, (found) => (typeof found === 'string' ? found : undefined));
export const rememberedMethod = (service: string): string | undefined => lastMethod(service).get();
export const rememberMethod = (service: string, method: string): boolean => lastMethod(service).set(method);
