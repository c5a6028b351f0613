// How scaling stands now, and what was decided so far.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ListScalingEventsResponseJson, ScalingEventJson, ScalingSettingJson, ScalingStateJson } from '../../api/contract';
import { get } from '../../api/client';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useQuery } from '../../state/use_query';
import { useWatch } from '../../state/use_watch';
import type { Tone } from '../../ui/basics';
import { num, plural, timeMs } from '../../ui/format';

const EVERY_MS = 1_000;

export const isOff = ({ mode = 'off' }: ScalingStateJson): boolean => mode === 'off';

// What is off stays off for as long as the emulator runs.
export function useScaling() {
  const off = useRef(false);
  return useQuery<ScalingStateJson>(
    'scaling',
    async (signal) => {
      const state = await get<ScalingStateJson>('/v1/scaling', {}, signal);
      off.current = isOff(state);
      return state;
    },
    off.current ? undefined : EVERY_MS,
  );
}

// "2 of 3 replicas ready, 1 starting, 4 calls held"
export function replicasText({ wanted = 0, ready = 0, starting = 0, draining = 0, heldCalls }: ScalingStateJson): string {
  const parts = [wanted === 0 && ready === 0 ? 'scaled to zero' : `${ready} of ${plural(wanted, 'replica')} ready`];
  if (starting > 0) parts.push(`${starting} starting`);
  if (draining > 0) parts.push(`${draining} draining`);
  if (num(heldCalls) > 0) parts.push(`${plural(num(heldCalls), 'call')} held`);
  return parts.join(', ');
}

const TONES: Record<string, Tone> = { ready: 'good', starting: 'warn', joining: 'warn', draining: 'accent' };
export const replicaTone = (state: string | undefined): Tone => TONES[state ?? ''] ?? 'neutral';

// What the server keeps, and so does the page.
const MOST_EVENTS = 1_000;
const MOST_TICKS = 900;

export const isTick = ({ kind }: ScalingEventJson): boolean => kind === 'tick';

// A decision is known by its time alone, so that a link to it is short.
export const keyOf = ({ time, kind, node }: ScalingEventJson): string =>
  kind === 'decision' || kind === 'tick' ? (time ?? '') : `${time} ${kind}${node ? ` ${node}` : ''}`;

// In the order of time, each once, the newest of each sort. Watches that were opened again tell the last ones once more; an event
// stays the object that it was.
export function merge(known: ScalingEventJson[], more: ScalingEventJson[]): ScalingEventJson[] {
  const byKey = new Map<string, ScalingEventJson>();
  for (const event of [...known, ...more]) {
    const key = `${keyOf(event)} ${event.text}`;
    if (!byKey.has(key)) byKey.set(key, event);
  }
  const all = [...byKey.values()].sort((a, b) => timeMs(a.time) - timeMs(b.time));
  const kept = new Set([...all.filter(isTick).slice(-MOST_TICKS), ...all.filter((event) => !isTick(event)).slice(-MOST_EVENTS)]);
  return all.filter((event) => kept.has(event));
}

// Oldest first, ticks among them; undefined until the first have come. Those of a run that has ended are left out.
export function useScalingEvents(): ScalingEventJson[] | undefined {
  const started = useStore(status)?.started;
  const [known, setKnown] = useState<ScalingEventJson[]>([]);
  const add = (more: ScalingEventJson[]) => setKnown((kept) => merge(kept, more));
  const { data: listed, reload } = useQuery(`scaling events since ${started}`, async (signal) => {
    // The watch begins with ticks for the most part.
    add((await get<ListScalingEventsResponseJson>('/v1/scaling/events', { limit: MOST_EVENTS }, signal)).events ?? []);
    return true;
  });
  const watched = useWatch<ScalingEventJson>('/v1/scaling/events:watch', { newest: MOST_EVENTS, ticks: true }, add);
  // What happened while nothing was watched may be more than the watch begins with.
  const opened = useRef(0);
  useEffect(() => {
    if (watched === 'open' && opened.current++ > 0) reload();
  }, [watched]);
  return useMemo(() => (listed ? known.filter(({ time }) => timeMs(time) >= timeMs(started)) : undefined), [listed, known, started]);
}

export const settingOf = (settings: ScalingSettingJson[] | undefined, name: string): string | undefined =>
  settings?.find((each) => each.name === name)?.value;
export const differs = ({ value, defaultValue }: ScalingSettingJson): boolean => (value ?? '') !== (defaultValue ?? '');
export const matters = ({ modes = [] }: ScalingSettingJson, mode: string): boolean => modes.length === 0 || modes.includes(mode);
// What the emulator is built with when it starts: `scale set` with one of these is refused as a whole.
const FROM_THE_START = new Set(['activator-queue', 'cold-start', 'initial-scale']);
export const changeable = ({ name = '' }: ScalingSettingJson): boolean => !FROM_THE_START.has(name);

const ANNOTATION = /^autoscaling\.knative\.dev\//;

// What Knative has to be told so that it decides with the same settings: an annotation, a key of its ConfigMap or a field of
// its specification each.
export function knativeYaml(settings: ScalingSettingJson[]): string {
  const annotations: string[] = [];
  const fields: string[] = [];
  const keys: string[] = [];
  for (const { knativeName = '', value = '' } of settings) {
    const [place, key] = knativeName.split(': ');
    if (ANNOTATION.test(knativeName)) annotations.push(`        ${knativeName}: ${JSON.stringify(value)}`);
    else if (place === 'spec' && key) fields.push(`      ${key}: ${/^\d+$/.test(value) ? value : JSON.stringify(value)}`);
    else if (key) keys.push(`  ${key}: ${JSON.stringify(value)}`);
  }
  const service = [
    ...(annotations.length > 0 ? ['    metadata:', '      annotations:', ...annotations] : []),
    ...(fields.length > 0 ? ['    spec:', ...fields] : []),
  ];
  return [
    ...(service.length > 0 ? ['# of the service', 'spec:', '  template:', ...service] : []),
    ...(keys.length > 0 ? ['# of the ConfigMap config-autoscaler in the namespace knative-serving', 'data:', ...keys] : []),
  ].map((line) => `${line}\n`).join('');
}
