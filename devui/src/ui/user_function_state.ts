// What is said about the user function's state, in words and colours.
import type { StatusJson, UserFunctionJson } from '../api/contract';
import type { Tone } from './basics';

interface State {
  tone: Tone;
  text: string;
  // What follows the user function's name.
  headline?: string;
  // Calls are answered, be it after a cold start.
  callable?: boolean;
}

const UNKNOWN: State = { tone: 'neutral', text: 'unknown' };
const STATES: Record<string, State> = {
  READY: { tone: 'good', text: 'ready', headline: 'is ready', callable: true },
  WAITING: { tone: 'warn', text: 'waited for' },
  REJECTED: { tone: 'bad', text: 'rejected', headline: 'is there, but cannot be served' },
  // Whether a call starts one, or a person has to, is said by the page Scaling.
  IDLE: { tone: 'accent', text: 'scaled to zero; calls are held', headline: 'is scaled to zero; calls are held', callable: true },
};

export const userFunctionState = (state: string | undefined): State => STATES[state ?? ''] ?? UNKNOWN;

export const isCallable = (state: UserFunctionJson['state'] | undefined): boolean => userFunctionState(state).callable ?? false;

export const isIdle = (status: StatusJson | undefined): boolean => status?.userFunction?.state === 'IDLE';

export function headline({ state, serviceName }: UserFunctionJson): string {
  const { headline: text } = userFunctionState(state);
  return text === undefined ? 'Waiting for a user function' : `${serviceName || 'The user function'} ${text}`;
}
