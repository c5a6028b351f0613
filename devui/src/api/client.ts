// Calls of the admin contract over HTTP and JSON.

export class ApiError extends Error {
  constructor(
    message: string,
    // A gRPC code's name such as "NOT_FOUND", or "UNREACHABLE" where nothing answered.
    readonly code: string,
  ) {
    super(message);
  }
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(error instanceof Error ? error.message : String(error), 'PAGE');

export type Query = Record<string, string | number | boolean | undefined>;

// path`/v1/entities/${id}`: what is put in is escaped.
export function path(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.reduce((text, part, i) => text + encodeURIComponent(String(values[i - 1])) + part);
}

export function withQuery(to: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '' && value !== false);
  if (pairs.length === 0) return to;
  return `${to}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

// What the page was given, for changes.
let token = document.querySelector<HTMLMetaElement>('meta[name="cloudstate-token"]')?.content ?? '';
export const currentToken = () => token;

// After the emulator has been started anew it knows its own token only.
export async function renewToken(): Promise<void> {
  const page = await (await fetch('/', { cache: 'no-store' })).text();
  // Not with a DOMParser: the page's policy keeps it from text.
  token = /name="cloudstate-token" content="([^"]+)"/.exec(page)?.[1] ?? token;
}

async function send<T>(method: string, to: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  if (method !== 'GET') headers['x-cloudstate-token'] = token;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(to, { method, headers, body: body === undefined ? null : JSON.stringify(body), signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The emulator does not answer.', 'UNREACHABLE');
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  throw errorOf(text, response.status);
}

function errorOf(text: string, status: number): ApiError {
  try {
    const problem = JSON.parse(text) as { detail?: string; code?: string; title?: string };
    return new ApiError(problem.detail ?? problem.title ?? text, problem.code ?? String(status));
  } catch {
    return new ApiError(text || `The emulator answered ${status}.`, String(status));
  }
}

export const get = <T>(to: string, query?: Query, signal?: AbortSignal) =>
  send<T>('GET', withQuery(to, query), undefined, signal);
export const post = <T>(to: string, body: unknown, signal?: AbortSignal) => send<T>('POST', to, body, signal);
// A method of the contract by its name. What may hold anything, such as an entity's id, cannot stand in a path: browsers take
// ".." out of it.
export const rpc = <T>(method: string, message: unknown, signal?: AbortSignal) =>
  send<T>('POST', `/cloudstate.dev.v1.${method}`, message, signal);
