import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScalingEventJson } from '../src/api/contract';
import { changeable, keyOf, knativeYaml, matters, merge, replicasText } from '../src/pages/scaling/data';
import { changeText, figureText } from '../src/pages/scaling/event_panel';
import { loadChartOf } from '../src/pages/scaling/loads';
import { noneText } from '../src/pages/scaling/replicas';
import { heldLines, loadLines, phasesOf, placeOf, rangeOf, replicaLines, stopAt, stopsOf, timelineOf } from '../src/pages/scaling/timeline';
import { setMode, setReplicas, setSettings } from '../src/state/steering';
import { formatFigure } from '../src/ui/format';
import { headline, isCallable, userFunctionState } from '../src/ui/user_function_state';

test('what is changed can be done in a terminal too', () => {
  assert.equal(setReplicas(3).command, 'cloudstate-dev scale set 3');
  assert.equal(setMode('knative').command, 'cloudstate-dev scale set --mode knative');
  assert.equal(setSettings({ 'scale-target': '7.5', 'stable-window': "it's" }).command, "cloudstate-dev scale set scale-target=7.5 'stable-window=it'\\''s'");
});

test('what holds from the start on cannot be changed', () => {
  assert.deepEqual(['activator-queue', 'cold-start', 'initial-scale', 'min-scale'].filter((name) => changeable({ name })), ['min-scale']);
});

const at = (second: number, more: ScalingEventJson = {}): ScalingEventJson => ({
  time: `2026-01-02T10:00:${String(second).padStart(2, '0')}Z`, kind: 'tick', ready: 1, wanted: 1, ...more,
});
const seconds = (second: number) => Date.parse(`2026-01-02T10:00:00Z`) / 1_000 + second;

test('events are in the order of time, each once', () => {
  const first = [at(2), at(4, { kind: 'decision', wantedBefore: 1, wanted: 2 })];
  const again = [at(4, { kind: 'decision', wantedBefore: 1, wanted: 2 }), at(5, { kind: 'replica', node: 2 }), at(1)];
  assert.deepEqual(merge(first, again).map(({ time, kind }) => `${time!.slice(17, 19)} ${kind}`), ['01 tick', '02 tick', '04 decision', '05 replica']);
});

test('times with and without fractions are in order', () => {
  const late = at(1, { time: '2026-01-02T10:00:01.5Z' });
  assert.deepEqual(merge([late], [at(1), at(2)]), [at(1), late, at(2)]);
});

test('ticks do not displace decisions', () => {
  const many = Array.from({ length: 1_200 }, (_, i) => at(0, { time: new Date(Date.parse('2026-01-02T10:00:00Z') + 10 + i).toISOString() }));
  const decision = at(0, { kind: 'decision' });
  const kept = merge([decision], many);
  assert.equal(kept[0], decision);
  assert.equal(kept.length, 901);
  assert.equal(kept.at(-1)!.time, many.at(-1)!.time);
});

test('events of one moment have keys of their own', () => {
  const kinds: ScalingEventJson[] = [{ kind: 'decision' }, { kind: 'replica', node: 2 }, { kind: 'replica', node: 3 }, { kind: 'activator' }];
  const keys = kinds.map((each) => keyOf(at(3, each)));
  assert.equal(new Set(keys).size, 4);
  assert.equal(keys[0], '2026-01-02T10:00:03Z');
});

test('a timeline begins with what held before it, and goes on until now', () => {
  const all = [at(0, { ready: 3 }), at(10, { kind: 'replica', ready: 2 }), at(20, { kind: 'missed' }), at(30, { ready: 1 })];
  const line = timelineOf(all, 0.5, seconds(35));
  assert.deepEqual(line.times, [seconds(5), seconds(10), seconds(20), seconds(30), seconds(35)]);
  assert.deepEqual(replicaLines(line)[0]!.values, [3, 2, 2, 1, 1]);
});

test('a timeline without events is empty, and one of long ago holds what was last', () => {
  assert.deepEqual(timelineOf([], 1, seconds(60)), { times: [seconds(0)], events: [undefined], measured: [undefined] });
  const old = timelineOf([at(1, { heldCalls: '4' })], 0.5, seconds(59));
  assert.deepEqual(old.times, [seconds(29), seconds(59)]);
  assert.deepEqual(heldLines(old)[0]!.values, [4, 4]);
});

test('an axis begins before the first event, with nothing', () => {
  const line = timelineOf([at(50)], 1, seconds(50));
  assert.deepEqual(line.times, [seconds(-10), seconds(50)]);
  assert.deepEqual(replicaLines(line)[1]!.values, [null, 1]);
});

test('phases are from their first tick to the first of another', () => {
  const told = [['stable', 1], ['panic', 2], ['panic', 4], ['stable', 6], ['scaling up', 8], ['', 9], ['scaling down', 10]] as const;
  const line = timelineOf(told.map(([phase, second]) => at(second, { phase })), 1, seconds(12));
  const since = (time: number) => time - seconds(0);
  assert.deepEqual(phasesOf(line).map(({ phase, from, to }) => [phase, since(from), since(to)]),
    [['panic', 2, 6], ['scaling up', 8, 9], ['scaling down', 10, 12]]);
});

const figures = (of: Record<string, number>) => Object.entries(of).map(([name, value]) => ({ name, value }));
const lines = (state: Parameters<typeof loadChartOf>[0], events: ScalingEventJson[]) =>
  loadLines(timelineOf(events, 1, seconds(50)), loadChartOf(state)).map(({ title, values }) => [title, ...values]);

test('of Knative the averages are drawn, against the target of all replicas that are ready', () => {
  const first = at(10, { figures: figures({ ready: 2, 'stable average': 3, 'panic average': 8, target: 1.4 }) });
  assert.deepEqual(lines({ mode: 'knative' }, [first, at(20, { kind: 'replica' })]), [
    ['over the stable window', null, 3, 3, 3], ['over the panic window', null, 8, 8, 8], ['target of those ready', null, 2.8, 2.8, 2.8],
  ]);
  assert.equal(loadChartOf({ mode: 'knative', settings: [{ name: 'scale-metric', value: 'rps' }] })!.title, 'Calls a second');
});

test('of the published autoscaler each concurrency is a share of its own target', () => {
  const measured = { 'user function concurrency': 3, 'user function target': 2, 'request concurrency': 30, 'journal concurrency': 5, 'request target': 50 };
  assert.deepEqual(lines({ mode: 'cloudstate' }, [at(50, { figures: figures(measured) })]), [
    ['user function', null, 1.5], ['requests without the journal’s', null, 0.5], ['target', null, 1],
  ]);
  assert.equal(loadChartOf({ mode: 'cloudstate' })!.format(1.5), '150 %');
});

const average = (value: number) => figures({ 'stable average': value });
const stable = (events: ScalingEventJson[], longest?: number) => {
  const { times, ...timeline } = timelineOf(events, 1, seconds(50), longest);
  const values = loadLines({ times, ...timeline }, loadChartOf({ mode: 'knative' }))[0]!.values;
  return times.map((time, i) => [time - seconds(0), values[i]]);
};

test('what was measured holds over what else happens, until the mode is another', () => {
  const set = at(30, { kind: 'set', text: 'set by hand: mode manual' });
  const told = [at(10, { figures: average(3) }), at(20, { kind: 'set', text: 'set by hand: scale-target = 5' }), set, at(40, { figures: average(4) })];
  assert.deepEqual(stable(told), [[-10, null], [10, 3], [20, 3], [30, null], [40, 4], [50, 4]]);
});

test('no line leads over ticks that are missing', () => {
  const told = [at(10, { figures: average(3) }), at(12, { figures: average(4) }), at(40, { figures: average(5) })];
  assert.deepEqual(stable(told, 6), [[-10, null], [10, 3], [12, 4], [18, null], [40, 5], [46, null], [50, null]]);
  const missed = [at(10, { figures: average(3) }), at(20, { kind: 'missed' }), at(49, { figures: average(5) })];
  assert.deepEqual(stable(missed), [[-10, null], [10, 3], [20, null], [49, 5], [50, 5]]);
});

test('a chart of another metric begins where the metric was set', () => {
  const told = [at(10, { figures: average(3) }), at(20, { kind: 'set', text: 'set by hand: scale-metric = rps' }), at(30, { figures: average(80) })];
  assert.deepEqual(stable(told), [[-10, null], [10, null], [20, null], [30, 80], [50, 80]]);
});

test('while the published autoscaler scales up, the request rate is a share of what scales up again', () => {
  const settings = [{ name: 'request-rate-threshold-factor', value: '1.5' }];
  const rate = (stableRate: number) => lines({ mode: 'cloudstate', settings }, [at(50, { figures: figures({ 'request rate': 30, 'last stable request rate': stableRate }) })]);
  assert.deepEqual(rate(10), [['request rate, of what scales up again', null, 2]]);
  assert.deepEqual(rate(0), []);
});

test('one looks from decision to tick, and in mode manual from event to event', () => {
  const told = [at(10), at(20, { kind: 'replica' }), at(30, { kind: 'decision' }), at(40, { kind: 'activator' })];
  const line = timelineOf(told, 1, seconds(50));
  assert.deepEqual(stopsOf(line, 'knative'), [1, 3]);
  assert.deepEqual(stopsOf(line, 'manual'), [1, 2, 3, 4]);
  assert.deepEqual([0, 1, 2, 3, 5].map((place) => stopAt([1, 3], place)), [0, 0, 0, 1, 1]);
});

test('what was before a range has no place in it', () => {
  const told = [at(1), at(40)];
  assert.deepEqual(told.map((event) => placeOf(timelineOf(told, 0.5, seconds(50)), event)), [-1, 1]);
  assert.equal(placeOf(timelineOf([told[0]!], 0.5, seconds(50)), told[0]!), -1);
});

test('the range grows until it has what is chosen, unless one is asked for', () => {
  const range = (asked: number, before: number | undefined) =>
    rangeOf([1, 5, 15, 30], asked, 5, before === undefined ? undefined : at(0), seconds(before ?? 0));
  assert.deepEqual([range(0, undefined), range(0, 30), range(0, 600), range(0, 4_000), range(1, 600)], [5, 5, 15, 30, 1]);
});

test('what is not measured is not drawn', () => {
  assert.deepEqual(lines({ mode: 'manual' }, [at(50)]), []);
  assert.deepEqual(lines({ mode: 'knative' }, [at(50)]), []);
});

test('figures are as exact as a decision needs them', () => {
  assert.deepEqual([0, 3, 0.333333, 12.3456, 1234.567, 12_345].map(formatFigure), ['0', '3', '0.333', '12.35', '1,234.57', '12,345']);
  assert.equal(changeText(at(1, { kind: 'decision', wantedBefore: 1, wanted: 3 })), '1 → 3');
  assert.equal(changeText(at(1, { wantedBefore: 1, wanted: 1 })), '1');
});

test('figures have their units', () => {
  const target = (value: number, scaleTarget: string, percent = '70', metric = 'concurrency') => figureText('target', value, [
    { name: 'scale-target', value: scaleTarget }, { name: 'scale-target-utilization', value: percent }, { name: 'scale-metric', value: metric },
  ]);
  assert.equal(figureText('cold start', 0.043, []), '43.0 ms');
  assert.equal(figureText('request rate', 12.3456, []), '12.35/s');
  assert.equal(figureText('stable average', 12.3456, []), '12.35');
  assert.equal(target(1.4, '2'), '1.4 per replica (70 % of 2)');
  assert.equal(target(140, '0', '70', 'rps'), '140 per replica (70 % of 200)');
  assert.equal(target(2, '2', '100'), '2 per replica');
  assert.equal(target(1.4, '5'), '1.4 per replica', 'the setting was another then');
});

test('scaled to zero by hand no call starts a replica, and nothing says so', () => {
  assert.equal(userFunctionState('IDLE').text, 'scaled to zero; calls are held');
  assert.equal(headline({ state: 'IDLE', serviceName: 'Cart' }), 'Cart is scaled to zero; calls are held');
  assert.equal(headline({ state: 'WAITING', serviceName: 'Cart' }), 'Waiting for a user function');
  assert.deepEqual((['READY', 'IDLE', 'WAITING', 'REJECTED', undefined] as const).map(isCallable), [true, true, false, false, false]);
  assert.match(noneText('manual'), /0 are wanted by hand; calls are held until more are/);
  assert.match(noneText('knative'), /The next call is held until one is ready/);
});

test('what there is of replicas is told in a line', () => {
  assert.equal(replicasText({ wanted: 3, ready: 1, starting: 2, heldCalls: '4' }), '1 of 3 replicas ready, 2 starting, 4 calls held');
  assert.equal(replicasText({ draining: 1 }), 'scaled to zero, 1 draining');
});

test('a setting without modes matters in all', () => {
  assert.deepEqual([{}, { modes: ['manual'] }, { modes: ['manual', 'knative'] }].map((each) => matters(each, 'knative')), [true, false, true]);
});

test('Knative is told by annotations, fields and keys of its ConfigMap', () => {
  const yaml = knativeYaml([
    { name: 'scale-target', knativeName: 'autoscaling.knative.dev/target', value: '10' },
    { name: 'user-function-target-concurrency', knativeName: '', value: '3' },
    { name: 'container-concurrency', knativeName: 'spec: containerConcurrency', value: '8' },
    { name: 'max-scale-up-rate', knativeName: 'config-autoscaler: max-scale-up-rate', value: '2' },
  ]);
  assert.equal(yaml, `# of the service
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/target: "10"
    spec:
      containerConcurrency: 8
# of the ConfigMap config-autoscaler in the namespace knative-serving
data:
  max-scale-up-rate: "2"
`);
  assert.equal(knativeYaml([]), '');
});
