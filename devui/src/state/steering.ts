// What can be done to the cluster and its scaling: as a message of the admin contract, and as the line of the command line that does
// the same.
import type { LinkSettingsJson, ScalingStateJson, SetScalingRequestJson, SteerResponseJson, SteeringJson } from '../api/contract';
import { type ApiError, asApiError, post } from '../api/client';
import { announce } from '../ui/announce';
import { cliLine } from '../ui/cli';
import { asDuration } from '../ui/durations';
import { plural } from '../ui/format';

export interface Deed {
  // Each answers with what has begun, in words.
  steps: (() => Promise<string>)[];
  command: string;
}

const steer = (step: SteeringJson) => async () => (await post<SteerResponseJson>('/v1/cluster:steer', step)).text ?? 'Done';
const deed = (step: SteeringJson, ...words: (string | number)[]): Deed => ({ steps: [steer(step)], command: cliLine(words.map(String)) });

export const addNode = () => deed({ addNode: {} }, 'nodes', 'add');
export const drain = (node: number) => deed({ drain: { node } }, 'nodes', 'drain', node);
export const kill = (node: number) => deed({ kill: { node } }, 'nodes', 'kill', node);
export const start = (node: number) => deed({ start: { node } }, 'nodes', 'start', node);
export const resume = (node: number) => deed({ resume: { node } }, 'nodes', 'resume', node);
export const heal = () => deed({ heal: {} }, 'network', 'heal');
export const moveShard = (shard: number, to: number) => deed({ moveShard: { shard, to } }, 'shards', 'move', shard, '--to', to);
export const cut = (from: number, to: number) => deed({ cut: { from, to } }, 'network', 'cut', from, to);
export const cutBoth = (a: number, b: number): Deed => ({
  steps: [...cut(a, b).steps, ...cut(b, a).steps],
  command: `${cut(a, b).command} && ${cut(b, a).command}`,
});

// Without a time: until it is resumed.
export const pause = (node: number, text: string, seconds: number | undefined) =>
  seconds === undefined
    ? deed({ pause: { node } }, 'nodes', 'pause', node)
    : deed({ pause: { node, for: asDuration(seconds) } }, 'nodes', 'pause', node, '--for', text);

export const skew = (node: number, text: string, seconds: number) =>
  deed({ skew: { node, by: asDuration(seconds) } }, 'nodes', 'skew', node, '--by', text);

export function partition(groups: number[][]): Deed {
  const some = groups.filter((group) => group.length > 0);
  return deed({ partition: { groups: some.map((nodes) => ({ nodes })) } }, 'network', 'partition', some.map((group) => group.join(',')).join('/'));
}

interface LinkChoice {
  // Both undefined: the settings of all links.
  from?: number;
  to?: number;
  oneWay?: boolean;
  settings: LinkSettingsJson;
}

export function setLink({ from, to, oneWay, settings }: LinkChoice): Deed {
  const { latency, loss, duplicate, reorder, bytesPerSecond } = settings;
  const flag = (name: string, value: string | number | undefined) => (value ? [name, value] : []);
  const share = (name: string, value: number | string = 0) => flag(name, Number(value) > 0 ? `${Number((Number(value) * 100).toFixed(6))}%` : '');
  return deed(
    { link: { from: from ?? 0, to: to ?? 0, oneWay: oneWay ?? false, settings } },
    'network', 'link', ...flag('--from', from), ...flag('--to', to), ...(oneWay ? ['--one-way'] : []), ...flag('--latency', latency),
    ...share('--loss', loss), ...share('--duplicate', duplicate), ...share('--reorder', reorder), ...flag('--bandwidth', Number(bytesPerSecond ?? 0)),
  );
}

export { secondsOf } from '../ui/durations';

// "64KiB" and "65536" in bytes; undefined for what is no size.
export function bytesOf(text: string): number | undefined {
  if (text.trim() === '') return 0;
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(match[2] ?? 'B'));
}

const scale = (request: SetScalingRequestJson, told: (state: ScalingStateJson) => string, ...words: (string | number)[]): Deed => ({
  steps: [async () => told(await post<ScalingStateJson>('/v1/scaling:set', request))],
  command: cliLine(['scale', 'set', ...words.map(String)]),
});

export const setReplicas = (replicas: number) =>
  scale({ replicas }, ({ wanted }) => `Wanted now: ${plural(wanted ?? 0, 'replica')}`, replicas);
export const setMode = (mode: string) => scale({ mode }, (state) => `The mode is ${state.mode} now`, '--mode', mode);
export const setSettings = (settings: Record<string, string>) =>
  scale({ settings }, () => 'It holds from the next tick on', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`));

// Does it and tells what has begun. What went wrong is told by the one who asks for it.
export async function attempt({ steps }: Deed): Promise<ApiError | undefined> {
  try {
    for (const step of steps) announce(await step(), 'good');
    return undefined;
  } catch (error) {
    return asApiError(error);
  }
}

// Does it, tells what has begun, and what went wrong. True where all of it was done.
export async function perform(deed: Deed): Promise<boolean> {
  const error = await attempt(deed);
  if (error !== undefined) announce(error.message, 'bad');
  return error === undefined;
}
