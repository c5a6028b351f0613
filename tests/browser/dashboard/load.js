// What the dashboard costs and how smooth it stays while an emulator works hard: see docs/performance.md.
//
//   BINARY=… LOAD_GENERATOR=build/release/tests/bench/load_generator node tests/browser/dashboard/load.js [--quick] [--check]
//
// The user function is the shopping cart in C++ in a process of its own, the load another process, the browser headless and
// without a graphics card. Each line tells what was reached, and what was to be; with --check a goal that was missed is a failure.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { CART, dashboard, eventually } from './harness.js';
import { PAGES } from './pages.js';

const quick = process.argv.includes('--quick');
const check = process.argv.includes('--check');
const SECONDS = quick ? 2 : 10;
const ROUNDS = quick ? 1 : 5;
const RATE = 5_000;
const LANES = 64;
const ENTITIES = 1_000;
const LONG_HISTORY = quick ? 2_000 : 100_000;
const BROWSERS = 20;
const FIRST_CART = 'user-0'; // as the load generator names it
const MIB = 1024 * 1024;

const run = promisify(execFile);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const formatted = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const told = (value) => formatted.format(value);

let missed = 0;
function goal(what, met, wanted) {
  if (!met) missed += 1;
  console.log(`${met ? 'PASS' : 'MISS'}  ${what.padEnd(74)} goal: ${wanted}`);
}
const note = (what) => console.log(`      ${what}`);

async function load(it, { seconds = SECONDS, rate = 0, entities = ENTITIES } = {}) {
  const { stdout } = await run(process.env.LOAD_GENERATOR, [it.emulator.client, LANES, entities, seconds, rate].map(String));
  return JSON.parse(stdout);
}

const residentMiB = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// Counts frames and what held them up, from now until the returned function is called.
async function watchFrames(page) {
  await page.evaluate(() => {
    const seen = { frames: 0, longest: 0, last: performance.now(), began: performance.now(), longTasks: 0, over: false };
    window.__frames = seen;
    new PerformanceObserver((list) => { seen.longTasks += list.getEntries().length; }).observe({ entryTypes: ['longtask'] });
    const frame = (now) => {
      seen.frames += 1;
      seen.longest = Math.max(seen.longest, now - seen.last);
      seen.last = now;
      if (!seen.over) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return () => page.evaluate(() => {
    const { frames, began, longest, longTasks } = window.__frames;
    window.__frames.over = true;
    return { perSecond: (frames * 1000) / (performance.now() - began), longest, longTasks };
  });
}

// The largest heap while `work` is done, in MiB.
async function mostHeap(page, work) {
  const session = await page.context().newCDPSession(page);
  let most = 0;
  let over = false;
  const sampling = (async () => {
    while (!over) {
      most = Math.max(most, (await session.send('Runtime.getHeapUsage')).usedSize / MIB);
      await new Promise((done) => setTimeout(done, 200));
    }
  })();
  await work();
  over = true;
  await sampling;
  return most;
}

async function smoothness(it) {
  console.log(`\nCalls open while ${told(RATE)} commands a second are offered`);
  const page = await it.open('#/calls');
  await load(it, { seconds: 1, rate: RATE });
  const frames = await watchFrames(page);
  let offered;
  const heap = await mostHeap(page, async () => { offered = await load(it, { seconds: SECONDS * 2, rate: RATE }); });
  const { perSecond, longest, longTasks } = await frames();
  goal(`${told(perSecond)} frames a second, the longest ${told(longest)} ms, ${longTasks} long tasks`, perSecond >= 50, 'at least 50');
  goal(`heap: ${told(heap)} MiB at most`, heap < 150, 'under 150 MiB');
  goal(`served: ${told(offered.per_second)} a second`, offered.per_second > 0.9 * RATE, 'loss under 10 %');
  await it.closePages();
}

// Reads what the Calls page reads, and does nothing with it.
async function watchAsCallsDoes(it) {
  const stop = new AbortController();
  const watched = await fetch(`http://${it.emulator.admin}/v1/commands:watch?mostPerSecond=200&brief=true`, { signal: stop.signal });
  const drained = (async () => {
    for await (const part of watched.body) void part;
  })().catch(() => {});
  return async () => {
    stop.abort();
    await drained;
  };
}

async function throughput(it) {
  console.log(`\nThroughput, ${LANES} calls at a time: medians of ${ROUNDS} rounds, side by side`);
  const ways = {
    'nobody looks': async () => async () => {},
    'a reader that draws nothing': () => watchAsCallsDoes(it),
    'Calls open in a browser': async () => {
      await it.open('#/calls');
      return () => it.closePages();
    },
  };
  const closed = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const paced = structuredClone(closed);
  for (let round = 0; round < ROUNDS; ++round) {
    for (const [way, begin] of Object.entries(ways)) {
      const end = await begin();
      closed[way].push(await load(it, { seconds: SECONDS / 4 }));
      paced[way].push(await load(it, { seconds: SECONDS / 4, rate: RATE }));
      await end();
    }
  }
  for (const way of Object.keys(ways)) {
    const at = (key) => told(median(paced[way].map((each) => each[key])));
    const most = told(median(closed[way].map((each) => each.per_second)));
    note(`${way.padEnd(28)} at most ${most} a second; of ${told(RATE)} offered ${at('per_second')}, p50 ${at('p50_ms')} ms, p99 ${at('p99_ms')} ms`);
  }
  const served = (figures, way) => median(figures[way].map((each) => each.per_second));
  const loss = (figures, way) => 1 - served(figures, way) / served(figures, 'nobody looks');
  const percent = (share) => `${told(Math.max(0, share * 100))} %`;
  const atRate = loss(paced, 'Calls open in a browser');
  const reader = loss(closed, 'a reader that draws nothing');
  goal(`loss with Calls open, ${told(RATE)} a second offered: ${percent(atRate)}`, atRate < 0.1, 'under 10 %');
  goal(`loss with a reader, as many as are answered: ${percent(reader)}`, reader < 0.1, 'under 10 %');
  note(`with a browser that shares the processors: ${percent(loss(closed, 'Calls open in a browser'))}`);
}

// Until rows of events are painted, from when the entity's address is followed.
async function firstScreens(it, count) {
  const route = `#/entities/shopping-cart/${FIRST_CART}`;
  const page = await it.open('#/entities');
  const within = [];
  for (let i = 0; i < count; ++i) {
    within.push(await page.evaluate(async (to) => {
      const painted = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
      const began = performance.now();
      location.hash = to;
      const rows = () => [...document.querySelectorAll('main [role=grid] [role=row][id]')].filter((row) => !row.querySelector('.cell-waiting'));
      do await painted(); while (document.querySelector('main h1')?.textContent === 'Entities' || rows().length < 5);
      return performance.now() - began;
    }, route));
    await page.evaluate(() => { location.hash = '#/logs'; });
    await page.getByRole('heading', { level: 1, name: 'Logs' }).waitFor();
  }
  await it.closePages();
  return within;
}

async function longHistory(it) {
  console.log(`\nAn entity with ${told(LONG_HISTORY)} events`);
  await load(it, { seconds: LONG_HISTORY / RATE, rate: RATE, entities: 1 });
  const { lastSequence } = await it.api(`/v1/entities/shopping-cart/${FIRST_CART}`);
  assert.ok(Number(lastSequence) >= LONG_HISTORY);
  const took = await firstScreens(it, quick ? 2 : 9);
  goal(`first screen: median ${told(median(took))} ms, longest ${told(Math.max(...took))} ms`, median(took) < 200, 'under 200 ms');
}

async function manyBrowsers(it) {
  const rate = RATE / 5;
  console.log(`\n${BROWSERS} browsers at once, ${told(rate)} commands a second`);
  const before = { ...await load(it, { rate }), memory: residentMiB(it.emulator.pid) };
  const routes = [...PAGES.map(({ route }) => route), `#/entities/shopping-cart/${FIRST_CART}`, `#/try/${CART}/GetCart`];
  const pages = [];
  for (let i = 0; i < BROWSERS; ++i) {
    const page = await it.open(routes[i % routes.length]);
    const live = { frames: 0 };
    page.on('websocket', (socket) => socket.on('framereceived', () => { live.frames += 1; }));
    await page.reload(); // so that its sockets are counted from their beginning
    pages.push(live);
  }
  const loading = load(it, { rate, seconds: SECONDS });
  await eventually('all pages are live', () => pages.every(({ frames }) => frames > 1), 60);
  const during = await loading;
  for (const live of pages) live.frames = 0;
  await eventually('all pages still are', () => pages.every(({ frames }) => frames > 0), 60);
  const memory = residentMiB(it.emulator.pid);
  goal(`${pages.length} of ${BROWSERS} pages are told what happens`, pages.length === BROWSERS, 'all');
  note(`emulator's memory: ${told(before.memory)} MiB before, ${told(memory)} MiB with them`);
  note(`latency: p50 ${told(before.p50_ms)} ms, p99 ${told(before.p99_ms)} ms before; p50 ${told(during.p50_ms)} ms, p99 ${told(during.p99_ms)} ms with them; ${told(during.per_second)} a second served`);
  await it.closePages();
}

assert.ok(process.env.LOAD_GENERATOR, 'LOAD_GENERATOR names the program that calls');
const it = dashboard({ run: ['--sample', 'shopping-cart', '--passivation-timeout', '1h'], manual: true });
await it.start();
try {
  await smoothness(it);
  await throughput(it);
  await longHistory(it);
  await manyBrowsers(it);
} finally {
  await it.stop();
}
if (missed > 0) console.log(`\n${missed} of these goals ${missed === 1 ? 'was' : 'were'} missed`);
if (check && missed > 0) process.exitCode = 1;
