// What is said about the user function's state, in words and colours.
import type { StatusJson, UserFunctionJson } from '../api/contract';
import type { Tone } from './basics';

const STATES: Record<string, { tone: Tone; text: string }> = {
  READY: { tone: 'good', text: 'ready' },
  WAITING: { tone: 'warn', text: 'waited for' },
  REJECTED: { tone: 'bad', text: 'rejected' },
  IDLE: { tone: 'accent', text: 'scaled to zero; the next call starts it' },
};

export const userFunctionState = (state: string | undefined) => STATES[state ?? ''] ?? { tone: 'neutral' as const, text: 'unknown' };

// Calls are answered, be it after a cold start.
export const isCallable = (state: UserFunctionJson['state'] | undefined): boolean => state === 'READY' || state === 'IDLE';

export const isIdle = (status: StatusJson | undefined): boolean => status?.userFunction?.state === 'IDLE';
