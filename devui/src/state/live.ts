// What the whole page knows of the emulator: whether it answers, its status, and its figures of the last minutes.
import type { SampleJson, StatusJson } from '../api/contract';
import { get, renewToken } from '../api/client';
import { watch } from '../api/watch';
import { createStore } from './store';

interface ConnectionState {
  state: 'connecting' | 'connected' | 'lost';
  // When it was lost, in milliseconds since 1970.
  since: number;
  // Grows whenever it is there again: what was loaded before may be old.
  epoch: number;
  // The emulator that runs now is of another version than this page.
  foreign: boolean;
}

export const connection = createStore<ConnectionState>({ state: 'connecting', since: Date.now(), epoch: 0, foreign: false });
export const status = createStore<StatusJson | undefined>(undefined);
export const samples = createStore<SampleJson[]>([]);

const KEPT_SAMPLES = 900;
const STATUS_INTERVAL = 3_000;
// An emulator that is there answers much sooner.
const PATIENCE = 5_000;

function lost() {
  const now = connection.get();
  if (now.state !== 'lost') connection.set({ ...now, state: 'lost', since: Date.now() });
}

let asking = false;

// One question at a time, so that the answers come in order.
async function reached() {
  if (asking) return;
  asking = true;
  try {
    await look(await get<StatusJson>('/v1/status', {}, AbortSignal.timeout(PATIENCE)));
  } catch {
    lost();
  } finally {
    asking = false;
  }
}

async function look(now: StatusJson) {
  const before = status.get();
  const startedAnew = before !== undefined && (before.pid !== now.pid || before.started !== now.started);
  if (startedAnew) {
    await renewToken();
    samples.set([]);
  }
  status.set(now);
  const { state, epoch, foreign } = connection.get();
  if (state === 'connected' && !startedAnew) return;
  connection.set({
    state: 'connected',
    since: Date.now(),
    epoch: state === 'connecting' ? epoch : epoch + 1,
    foreign: foreign || (startedAnew && (before.version !== now.version || before.commit !== now.commit)),
  });
}

export const refreshStatus = () => void reached();

// For as long as the page is there.
export function startLive(): void {
  void reached();
  window.setInterval(() => {
    if (!document.hidden) void reached();
  }, STATUS_INTERVAL);
  watch<SampleJson>('/v1/samples:watch', { newest: KEPT_SAMPLES }, {
    messages: (batch) => samples.set(append(samples.get(), batch)),
    state: (state) => {
      if (state !== 'connecting') void reached();
    },
  });
}

// A watch that was opened again begins with what is there already.
function append(kept: SampleJson[], batch: SampleJson[]): SampleJson[] {
  const last = kept.at(-1)?.time ?? '';
  return [...kept, ...batch.filter(({ time = '' }) => time > last)].slice(-KEPT_SAMPLES);
}
