// The contract's streams, over WebSockets: a browser opens only six plain connections to a server, and every tab has some.
import { type Query, withQuery } from './client';

export type WatchState = 'connecting' | 'open' | 'waiting';

interface WatchHandlers<T> {
  // All that has come since the last frame that was painted.
  messages(batch: T[]): void;
  // `problem` tells why it waits.
  state?(state: WatchState, problem?: string): void;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 5_000;
const HIDDEN_GRACE = 10_000;

// Watches until the returned function is called. What breaks is opened again after a while; nothing is watched while the page
// is hidden for longer, because nobody looks.
export function watch<T>(to: string, query: Query, handlers: WatchHandlers<T>): () => void {
  let socket: WebSocket | undefined;
  let batch: T[] = [];
  let cancelFlush: (() => void) | undefined;
  let delay = FIRST_DELAY;
  let retry = 0;
  let hidden = 0;

  const flush = () => {
    cancelFlush = undefined;
    const taken = batch;
    batch = [];
    if (taken.length > 0) handlers.messages(taken);
  };

  // Hidden pages paint no frames.
  const flushSoon = () => {
    if (document.hidden) {
      const timer = window.setTimeout(flush, 250);
      cancelFlush = () => window.clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(flush);
      cancelFlush = () => cancelAnimationFrame(frame);
    }
  };

  const open = () => {
    handlers.state?.('connecting');
    const address = new URL(withQuery(to, query), location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const opened = new WebSocket(address);
    socket = opened;
    opened.onopen = () => {
      delay = FIRST_DELAY;
      opened.send('{}');
      handlers.state?.('open');
    };
    opened.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as T & { error?: unknown };
      if (message.error !== undefined) return; // the close tells it as well
      batch.push(message);
      if (cancelFlush === undefined) flushSoon();
    };
    opened.onclose = ({ reason }) => {
      if (socket !== opened) return;
      socket = undefined;
      handlers.state?.('waiting', reason);
      retry = window.setTimeout(open, delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    };
  };

  const close = () => {
    window.clearTimeout(retry);
    const closing = socket;
    socket = undefined;
    closing?.close();
  };

  const visibility = () => {
    window.clearTimeout(hidden);
    if (document.hidden) {
      hidden = window.setTimeout(close, HIDDEN_GRACE);
    } else if (socket === undefined) {
      close();
      open();
    }
  };

  document.addEventListener('visibilitychange', visibility);
  open();
  return () => {
    document.removeEventListener('visibilitychange', visibility);
    window.clearTimeout(hidden);
    cancelFlush?.();
    close();
  };
}
