// Lengths of time as people write them.
const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };

// "1m30s", "-500ms" and "0", as `cloudstate-dev` takes them, in seconds; undefined for what is no time.
export function secondsOf(text: string): number | undefined {
  if (/^[+-]?0$/.test(text.trim())) return 0;
  const match = /^([+-]?)((?:(?:\d+(?:\.\d+)?|\.\d+)(?:h|ms|us|ns|m|s))+)$/.exec(text.trim());
  if (!match) return undefined;
  let seconds = 0;
  for (const [, value, unit] of match[2]!.matchAll(/([\d.]+)(h|ms|us|ns|m|s)/g)) seconds += Number(value) * UNITS[unit!]!;
  return match[1] === '-' ? -seconds : seconds;
}

// Seconds in the contract's form: "0.05s".
export const asDuration = (seconds: number): string => `${seconds.toFixed(9).replace(/\.?0+$/, '')}s`;

// "50ms" and "1.5 s" in the contract's form; a number alone is milliseconds. Undefined where it is none.
export function parseDuration(text: string): string | undefined {
  const whole = text.trim().replace('µ', 'u').replace(/min$/, 'm').replace(/\s+(?=[a-z]+$)/, '');
  const seconds = secondsOf(/^[\d.]+$/.test(whole) ? `${whole}ms` : whole);
  return seconds === undefined || /^[+-]/.test(whole) ? undefined : asDuration(seconds);
}
