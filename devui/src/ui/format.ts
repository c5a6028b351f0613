// How the contract's JSON values are read by programs and by people.
import { preferences } from '../state/preferences';

// 64-bit numbers are strings in JSON; what is left out is 0.
export const num = (value: string | number | undefined): number => (value === undefined ? 0 : Number(value));

// "0.012345s" in milliseconds.
export const durationMs = (duration: string | undefined): number =>
  duration === undefined ? 0 : Number.parseFloat(duration) * 1_000;

export function formatDuration(ms: number): string {
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms === 0) return '0 ms';
  if (ms < 0.0995) return `${(ms * 1_000).toPrecision(2)} µs`;
  if (ms < 9.995) return `${ms.toFixed(2)} ms`;
  if (ms < 99.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

export const formatCount = (count: number): string => count.toLocaleString('en-US');

// Of what is counted, on an axis or on average.
export const formatWhole = (value: number): string => formatCount(Math.round(value * 10) / 10);
export const formatConcurrency = (value: number): string => formatCount(value < 9.995 ? Math.round(value * 100) / 100 : Math.round(value));
// As exact as a decision needs it.
export const formatFigure = (value: number): string => (Number.isInteger(value) ? formatCount(value) : formatCount(Number(value.toPrecision(value < 1_000 ? 4 : 6))));

export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  return perSecond < 10 ? `${perSecond.toFixed(1)}/s` : `${formatCount(Math.round(perSecond))}/s`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export const timeMs = (time: string | undefined): number => (time === undefined ? 0 : Date.parse(time));

const two = (value: number) => String(value).padStart(2, '0');

// "14:03:05.123", in the time that the person chose; with the day where it is not today.
export function formatTime(time: string | undefined): string {
  if (time === undefined) return '';
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const utc = preferences.get().times === 'utc';
  const shifted = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const today = utc ? new Date() : new Date(Date.now() - date.getTimezoneOffset() * 60_000);
  const day = shifted.toISOString().slice(0, 10);
  const clock = `${two(shifted.getUTCHours())}:${two(shifted.getUTCMinutes())}:${two(shifted.getUTCSeconds())}.${String(
    shifted.getUTCMilliseconds()).padStart(3, '0')}`;
  return `${day === today.toISOString().slice(0, 10) ? '' : `${day} `}${clock}${utc ? 'Z' : ''}`;
}

// "3 s ago"
export function formatAgo(time: string | undefined, now = Date.now()): string {
  if (time === undefined) return '';
  const ms = now - Date.parse(time);
  if (ms < 1_000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 48 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} days ago`;
}

// "type.googleapis.com/shop.ItemAdded" and "shop.ItemAdded" are "ItemAdded".
export const shortName = (full: string | undefined): string => (full ?? '').split('/').pop()!.split('.').pop()!;

const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
  'UNAUTHENTICATED',
];
export const codeName = (code: number | undefined): string => CODES[code ?? 0] ?? String(code);

export function base64Bytes(text: string | undefined): Uint8Array {
  return Uint8Array.from(atob((text ?? '').replace(/-/g, '+').replace(/_/g, '/')), (each) => each.charCodeAt(0));
}
