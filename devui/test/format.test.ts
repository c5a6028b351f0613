import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64Bytes, durationMs, formatAgo, formatBytes, formatDuration, formatRate, shortName } from '../src/ui/format';

test('durations have three digits and the unit that fits', () => {
  const cases: [string, string][] = [
    ['0s', '0 ms'], ['0.0000123s', '12 µs'], ['0.00123s', '1.23 ms'], ['0.0123s', '12.3 ms'], ['0.123s', '123 ms'],
    ['1.234s', '1.23 s'], ['12.34s', '12.3 s'], ['83s', '1 min 23 s'], ['7260s', '2 h 1 min'], ['259200s', '3 days'],
    ['-0.005s', '−5.00 ms'],
  ];
  for (const [json, text] of cases) assert.equal(formatDuration(durationMs(json)), text);
});

test('sizes are in binary units', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 10 << 20].map(formatBytes), ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '10 MiB']);
});

test('rates below ten have a decimal', () => {
  assert.deepEqual([0, 0.25, 9.96, 5_000].map(formatRate), ['0/s', '0.3/s', '10.0/s', '5,000/s']);
});

test('ages are told in one unit', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  assert.equal(formatAgo('2026-01-01T23:59:59.500Z', now), 'just now');
  assert.equal(formatAgo('2026-01-01T23:59:00Z', now), '1 min ago');
  assert.equal(formatAgo('2025-12-30T00:00:00Z', now), '3 days ago');
});

test('names are without host and package', () => {
  assert.deepEqual(['type.googleapis.com/shop.v1.ItemAdded', 'shop.Cart', 'json.object/x', undefined].map(shortName),
    ['ItemAdded', 'Cart', 'x', '']);
});

test('both alphabets of base64 are read', () => {
  assert.deepEqual([...base64Bytes('_-8=')], [255, 239]);
  assert.deepEqual([...base64Bytes('/+8=')], [255, 239]);
});
