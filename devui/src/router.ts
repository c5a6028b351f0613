// Where the page is: everything is in the address behind the #, so that each view can be linked to and reloaded.
import { useLayoutEffect, useState } from 'preact/hooks';

export interface Route {
  // ["entities", "shopping-cart", "me"]
  segments: string[];
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = splitOnce(hash.replace(/^#?\/?/, ''), '?');
  return { segments: path === '' ? [] : path.split('/').map(decode), query: new URLSearchParams(query) };
}

function splitOnce(text: string, at: string): [string, string] {
  const place = text.indexOf(at);
  return place < 0 ? [text, ''] : [text.slice(0, place), text.slice(place + 1)];
}

// An address that somebody typed may hold a % that escapes nothing.
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

// href(['entities', 'shopping-cart', 'me'], { at: 5 })
export function href(segments: string[], query: Record<string, string | number | undefined> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return `#/${segments.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function navigate(to: string): void {
  location.hash = to;
}

// Changes a part of the query in place, without a step in the history; null removes.
export function setQuery(changes: Record<string, string | number | null>): void {
  const { segments, query } = parseRoute(location.hash);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(key);
    else query.set(key, String(value));
  }
  history.replaceState(null, '', href(segments, Object.fromEntries(query)));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  // At once: a change before the first painting would be missed.
  useLayoutEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return route;
}
