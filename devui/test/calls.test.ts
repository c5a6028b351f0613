import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callTree, phaseBefore, ticks } from '../src/pages/calls/call_tree';
import { parseDuration, secondsOf } from '../src/ui/durations';
import { KEPT_CALLS, Tail } from '../src/pages/calls/tail';

const calls = (from: number, count: number, missed = '0') =>
  Array.from({ length: count }, (_, i) => ({ command: { traceId: `t${from + i}` }, missed }));

test('times are read as people write them', () => {
  const cases: [string, string | undefined][] = [
    ['50ms', '0.05s'], ['1.5 s', '1.5s'], ['200us', '0.0002s'], ['2m', '120s'], ['7', '0.007s'], ['0', '0s'], ['100s', '100s'], ['2 min', '120s'], ['.5µs', '0.0000005s'], ['1m30s', '90s'],
    ['', undefined], ['fast', undefined], ['-1s', undefined], ['1e3s', undefined],
  ];
  for (const [text, duration] of cases) assert.equal(parseDuration(text), duration, text);
  const seconds: [string, number | undefined][] = [['1m30s', 90], ['-500ms', -0.5], ['+2s', 2], ['0', 0], ['5', undefined], ['1 s', undefined], ['s', undefined], ['', undefined]];
  for (const [text, wanted] of seconds) assert.equal(secondsOf(text), wanted, text);
});

test('the tail keeps the newest, newest first', () => {
  const tail = new Tail();
  tail.push(calls(0, KEPT_CALLS + 3), 0);
  assert.equal(tail.taken, KEPT_CALLS + 3);
  assert.equal(tail.row(0)?.call.traceId, `t${KEPT_CALLS + 2}`);
  assert.equal(tail.row(KEPT_CALLS - 1)?.call.traceId, 't3');
  assert.equal(tail.row(KEPT_CALLS), undefined);
});

test('what had come at a time is there until it is replaced', () => {
  const tail = new Tail();
  tail.push(calls(0, 10), 0);
  const then = tail.taken;
  tail.push(calls(10, KEPT_CALLS - 5), 0);
  assert.equal(tail.row(0, then)?.call.traceId, 't9');
  assert.equal(tail.row(9, then), undefined);
  assert.deepEqual(tail.rows(then).map(({ call }) => call.traceId), ['t9', 't8', 't7', 't6', 't5']);
});

test('a watch that was opened again repeats nothing', () => {
  const tail = new Tail();
  tail.push(calls(0, 5), 0);
  tail.push(calls(3, 5), 0);
  assert.equal(tail.taken, 8);
});

test('the tail tells which share of the calls it shows, lately', () => {
  const tail = new Tail();
  tail.push(calls(0, 10, '24'), 1_000);
  assert.equal(tail.oneOf(1_100), 25);
  assert.equal(tail.oneOf(60_000), 1);
  tail.push(calls(10, 10), 60_000);
  assert.equal(tail.oneOf(60_000), 1);
});

const trace = {
  service: 'shop.Checkout', method: 'Buy', duration: '0.010s',
  steps: [
    { at: '0.001s', kind: 'sent' },
    { at: '0.004s', kind: 'replied', detail: 'forward' },
    { at: '0.005s', kind: 'forwarded', command: 2 },
    { at: '0.010s', kind: 'answered' },
    { at: '0.0045s', kind: 'effect', detail: 'not awaited', command: 1 },
    { at: '0.007s', kind: 'replied', command: 2 },
    { at: '0.008s', kind: 'stored', detail: 'events 3 to 4', command: 2 },
    { at: '0.012s', kind: 'failed', detail: 'no', command: 1 },
  ],
  caused: [
    { parent: 0, origin: 'SIDE_EFFECT' as const, service: 'shop.Cart', method: 'Count', entityId: 'sold' },
    { parent: 0, origin: 'FORWARD' as const, service: 'shop.Cart', method: 'Add', entityId: 'me' },
    { parent: 2, origin: 'SIDE_EFFECT' as const, service: 'shop.Log', method: 'Note', entityId: 'x' },
  ],
};

test('a trace is a tree of commands with their own steps', () => {
  const tree = callTree(trace);
  assert.deepEqual(tree.commands.map(({ index, depth, origin, method }) => [index, depth, origin, method]),
    [[0, 0, 'call', 'Buy'], [1, 1, 'side effect', 'Count'], [2, 1, 'forward', 'Add'], [3, 2, 'side effect', 'Note']]);
  assert.equal(tree.length, 12);
  assert.deepEqual(tree.steps.map(({ at }) => at), [1, 4, 4.5, 5, 7, 8, 10, 12]);
  assert.equal(tree.commands[1]!.failure, 'no');
  assert.deepEqual(tree.commands[2]!.stored, [{ text: 'events 3 to 4', sequence: 4 }]);
  assert.deepEqual(tree.commands[3]!.steps, []);
});

test('the time before a step is somebody’s', () => {
  const tree = callTree(trace);
  assert.deepEqual(tree.commands[0]!.steps.map((step) => [step.after, phaseBefore(tree, step)]),
    [[1, 'emulator'], [3, 'user function'], [6, 'waiting']]);
  assert.deepEqual(tree.commands[2]!.steps.map((step) => phaseBefore(tree, step)), ['emulator', 'user function', 'journal']);
});

test('a tree ends where parents are not what they should be', () => {
  assert.equal(callTree({ ...trace, caused: trace.caused.map((each) => ({ ...each, parent: 3 })) }).commands.length, 4);
});

test('an axis has a few round marks', () => {
  assert.deepEqual(ticks(9.3), [0, 2, 4, 6, 8]);
  assert.deepEqual(ticks(0), [0]);
});
