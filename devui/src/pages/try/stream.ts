// One call of the user function through the emulator, of any shape, over a WebSocket: what is sent and what comes back.
import { currentToken } from '../../api/client';
import type { CallEndJson, CallStreamResponseJson } from '../../api/contract';

export interface StreamMessage {
  // Counts from 1.
  number: number;
  sent: boolean;
  // Milliseconds since the call began.
  at: number;
  json: string;
}

export interface StreamState {
  phase: 'open' | 'half-closed' | 'ended';
  messages: StreamMessage[];
  // Older ones that are no longer there.
  leftOut: number;
  headers: Record<string, string>;
  traceId: string;
  // Once it has ended. `problem` where the emulator did not take it, or went away.
  end?: CallEndJson;
  problem?: string;
}

interface StreamStart {
  service: string;
  method: string;
  headers: Record<string, string>;
  deadline?: string;
}

export interface CallStream {
  send(json: string): void;
  // The client has no more messages.
  finish(): void;
  cancel(): void;
}

const MOST_MESSAGES = 500;

// `changed` is called once a frame at most.
export function openStream(start: StreamStart, changed: (state: StreamState) => void): CallStream {
  const address = new URL('/cloudstate.dev.v1.Emulator/CallStream', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(address);
  const began = performance.now();
  const waiting: string[] = [];
  let state: StreamState = { phase: 'open', messages: [], leftOut: 0, headers: {}, traceId: '' };
  let count = 0;
  let fresh: StreamMessage[] = [];
  let frame = 0;

  const show = () => {
    frame = 0;
    const messages = [...state.messages, ...fresh];
    fresh = [];
    const over = Math.max(0, messages.length - MOST_MESSAGES);
    state = { ...state, messages: messages.slice(over), leftOut: state.leftOut + over };
    changed(state);
  };
  const soon = () => (frame ||= window.setTimeout(show, 16));
  const add = (sent: boolean, json: string) => {
    fresh.push({ number: ++count, sent, at: performance.now() - began, json });
    // What would be cut off by the next frame need not wait for it.
    if (fresh.length > 2 * MOST_MESSAGES) show();
    soon();
  };
  const write = (frame: string) => (socket.readyState === WebSocket.CONNECTING ? waiting.push(frame) : socket.send(frame));
  const end = (changes: Partial<StreamState>) => {
    if (state.phase === 'ended') return;
    state = { ...state, ...changes, phase: 'ended' };
    soon();
  };

  write(JSON.stringify({ start: { ...start, token: currentToken() || undefined } }));
  socket.onopen = () => waiting.splice(0).forEach((frame) => socket.send(frame));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data as string) as CallStreamResponseJson & { error?: { detail?: string; title?: string } };
    if (message.json !== undefined) add(false, message.json);
    else if (message.headers) {
      state = { ...state, headers: message.headers.headers ?? {}, traceId: message.headers.traceId ?? '' };
      soon();
    } else if (message.end) end({ end: message.end, traceId: message.end.traceId || state.traceId });
    else if (message.error) end({ problem: message.error.detail ?? message.error.title ?? 'The emulator refused the call.' });
  };
  socket.onclose = ({ code, reason }) =>
    end({ problem: reason || (code === 1006 ? 'The emulator went away before the call ended.' : `The connection was closed with ${code}.`) });

  return {
    send: (json) => {
      write(JSON.stringify({ json }));
      add(true, json);
    },
    finish: () => {
      write('');
      state = { ...state, phase: 'half-closed' };
      soon();
    },
    cancel: () => {
      end({ problem: 'You cancelled the call.' });
      socket.close();
    },
  };
}
