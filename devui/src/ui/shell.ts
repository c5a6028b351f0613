// A call as a line for a shell, to paste into a terminal.
import type { HttpBindingJson, MethodJson } from '../api/contract';
import { compact, isObject, jsonName, type JsonObject, parseInput } from './json_input';
import type { Json } from './json_view';

export interface ShellCall {
  service: string;
  method: string;
  // JSON; several for a method that takes a stream.
  messages: string[];
  headers: { name: string; value: string }[];
  // "5s"
  deadline?: string;
  // 0 or undefined: any.
  node?: number;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
// What no shell reads anything into stands as it is.
export const shellWord = (text: string) => (/^[A-Za-z0-9_./:@%,+-][A-Za-z0-9_./:@%,+=-]*$/.test(text) ? text : quoted(text));

// Nobody calls "all addresses".
const reachable = (address: string) => address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, '127.0.0.1');

const DEFAULT_ADMIN = '127.0.0.1:9001';

// These start something of their own. All others ask an emulator that runs.
const STARTS = ['run', 'sample', 'tck', 'import', 'simulate', 'scale simulate', 'scale tune'];

// A line of `cloudstate-dev`, which reaches the emulator with this admin port.
export function programLine(words: string[], admin?: string): string {
  const usual = !admin || reachable(admin) === DEFAULT_ADMIN || STARTS.includes(words[0] ?? '') || STARTS.includes(words.slice(0, 2).join(' '));
  return ['cloudstate-dev', ...words, ...(usual ? [] : ['--admin', reachable(admin)])].map(shellWord).join(' ');
}

// The words of `cloudstate-dev call`.
export function callWords(call: ShellCall): string[] {
  const words = ['call', `${call.service}/${call.method}`, ...call.messages.map(compact)];
  for (const { name, value } of call.headers) words.push('-H', `${name}: ${value}`);
  if (call.deadline) words.push('--deadline', call.deadline);
  if (call.node) words.push('--node', String(call.node));
  return words;
}

// Deadlines as gRPC tools write them.
const milliseconds = (deadline: string) => Math.ceil(Number.parseFloat(deadline) * 1_000);

const withNode = ({ headers, node }: ShellCall) =>
  node ? [...headers, { name: 'x-cloudstate-node', value: String(node) }] : headers;

export function grpcurlLine(call: ShellCall, client: string): string {
  const words = ['grpcurl', '-plaintext'];
  for (const { name, value } of withNode(call)) words.push('-H', `${name}: ${value}`);
  if (call.deadline) words.push('-max-time', String(milliseconds(call.deadline) / 1_000));
  words.push('-d', call.messages.map(compact).join(' '), reachable(client), `${call.service}/${call.method}`);
  return words.map(shellWord).join(' ');
}

// By the method's own route where the input fits into it. Undefined for a method that takes a stream: plain HTTP cannot.
export function curlLine(call: ShellCall, method: MethodJson, client: string): string | undefined {
  if (method.clientStreaming) return undefined;
  const input = objectOf(call.messages[0] ?? '{}');
  const everyMethods: HttpBindingJson = { method: 'POST', path: `/${call.service}/${call.method}`, body: '*' };
  let request: HttpRequest = { method: 'POST', target: everyMethods.path!, body: compact(call.messages[0] || '{}') };
  if (input !== undefined) {
    for (const binding of [...(method.http ?? []), everyMethods]) {
      const fitting = httpRequest(binding, input);
      if (fitting === undefined) continue;
      request = fitting;
      break;
    }
  }
  const words = ['curl'];
  if (method.serverStreaming) words.push('-N');
  if (request.method !== (request.body === undefined ? 'GET' : 'POST')) words.push('-X', request.method);
  if (request.body !== undefined) words.push('-H', 'content-type: application/json', '-d', request.body);
  for (const { name, value } of withNode(call)) words.push('-H', `${name}: ${value}`);
  if (call.deadline) words.push('-H', `grpc-timeout: ${milliseconds(call.deadline)}m`);
  words.push(`http://${reachable(client)}${request.target}`);
  return words.map(shellWord).join(' ');
}

function objectOf(json: string): JsonObject | undefined {
  const parsed = parseInput(json);
  return 'value' in parsed && isObject(parsed.value) ? parsed.value : undefined;
}

interface HttpRequest {
  method: string;
  target: string;
  body?: string;
}

// Undefined where this route cannot carry the input.
export function httpRequest(binding: HttpBindingJson, input: JsonObject): HttpRequest | undefined {
  const rest = structuredClone(input);
  let fits = true;
  const path = (binding.path ?? '').replace(/\{([^}=]+)(?:=([^}]*))?\}/g, (_, field: string, segments = '*') => {
    const value = take(rest, field.split('.'));
    if (value === undefined || value === '' || typeof value === 'object') fits = false;
    const text = String(value);
    return segments.includes('**') ? text.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(text);
  });
  // A pattern that names segments of its own, or a wildcard outside of a variable, is left to those who know it.
  if (!fits || path.includes('*') || /\{[^}]*=(?!\*\*?\})/.test(binding.path ?? '')) return undefined;
  const method = binding.method === '*' || !binding.method ? 'POST' : binding.method;
  if (binding.body === '*') return { method, target: path, body: JSON.stringify(rest) };
  const body = binding.body ? take(rest, [binding.body]) : undefined;
  if (binding.body && body === undefined) return undefined;
  const query = queryOf(rest);
  if (query === undefined) return undefined;
  const target = query === '' ? path : `${path}?${query}`;
  return body === undefined ? { method, target } : { method, target, body: JSON.stringify(body) };
}

// Takes a field out, under either of its names.
function take(from: JsonObject, [name = '', ...more]: string[]): Json | undefined {
  const key = jsonName(name) in from ? jsonName(name) : name;
  const value = from[key];
  if (more.length === 0) {
    delete from[key];
    return value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const found = take(value, more);
  if (Object.keys(value).length === 0) delete from[key];
  return found;
}

// Undefined for what no query can say: lists of messages, empty messages.
function queryOf(input: JsonObject): string | undefined {
  const pairs: [string, string][] = [];
  const add = (name: string, value: Json): boolean => {
    if (value === null) return true;
    if (Array.isArray(value)) return value.every((each) => (typeof each === 'object' ? false : add(name, each)));
    if (typeof value !== 'object') return pairs.push([name, String(value)]) > 0;
    const entries = Object.entries(value);
    return entries.length > 0 && entries.every(([key, each]) => add(`${name}.${key}`, each));
  };
  if (!Object.entries(input).every(([name, value]) => add(name, value))) return undefined;
  return new URLSearchParams(pairs).toString();
}
