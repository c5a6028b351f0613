// Lengths of time as people write them.
const UNITS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 };

// "50ms", "1.5 s" in the contract's form "0.05s"; a number alone is milliseconds. Undefined where it is none.
export function parseDuration(text: string): string | undefined {
  const [, number = '', unit = 'ms'] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(ns|us|µs|ms|s|min|m|h)?\s*$/.exec(text) ?? [];
  if (number === '') return undefined;
  return `${(Number(number) * UNITS[unit]!).toFixed(9).replace(/\.?0+$/, '')}s`;
}
