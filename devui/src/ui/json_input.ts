// JSON that people write.
import type { Json } from './json_view';

export type JsonObject = { [key: string]: Json };

export const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

// With whole numbers beyond what JavaScript can count in quotes: they mean the same to the emulator, and stay what they are.
export function parseInput(text: string): { value: Json } | { problem: string } {
  if (text.trim() === '') return { value: {} };
  try {
    return { value: JSON.parse(/\d{16}/.test(text) ? withLongOnesQuoted(text) : text) as Json };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const withLongOnesQuoted = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (found) =>
    /^-?\d+$/.test(found) && !Number.isSafeInteger(Number(found)) ? `"${found}"` : found);

// The same JSON without the space between its parts; as it is where it is none.
export function compact(json: string): string {
  if ('problem' in parseInput(json)) return json;
  return json.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (found) => (found.startsWith('"') ? found : ''));
}

// "user_id" is "userId" in JSON.
export const jsonName = (field: string): string => field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
