// Pictures of every page from a real session, for people who read about it:
//
//   BINARY=… node tests/browser/dashboard/screenshots.js DIRECTORY [NAME...]
//
// Look at each of them before it is kept.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { binary, CART, dashboard, inParallel } from './harness.js';
import { smaller } from './png.js';
import { disagreeing, forwarding, PATIENT, shopping, waves } from './session.js';

const MOST_BYTES = 200_000;
const [directory, ...only] = process.argv.slice(2);
assert.ok(directory, 'usage: screenshots.js DIRECTORY [NAME...]');
mkdirSync(directory, { recursive: true });

const carts = dashboard({ sample: 'shopping-cart-node', env: { SNAPSHOT_EVERY: '5' }, manual: true });
const replicas = dashboard({ sample: 'crdts-node', nodes: 3, run: PATIENT, manual: true });
const functions = dashboard({ sample: 'functions-node', manual: true });
const empty = dashboard({ sample: 'shopping-cart-node', manual: true });
const QUICK = ['--scale-tick', '500ms', '--stable-window', '8s', '--scale-target', '2', '--max-scale', '6', '--scale-to-zero-grace-period', '2s'];
const scaled = dashboard({
  command: [binary, 'sample', 'shopping-cart', '--work', '20ms', '--workers', '1'], run: ['--scaling', 'knative', ...QUICK], manual: true,
});
const sessions = [carts, replicas, functions, empty, scaled];

// [name, session, route, what else is to be done before]
function pictures(cart, room, trace) {
  const ada = cart.entity.join('/');
  return [
    ['overview-empty', empty, '#/'],
    ['entities', carts, '#/entities'],
    ['entity', carts, `#/entities/${ada}?at=9`],
    ['time-travel', carts, `#/entities/${ada}?at=11&view=travel&method=GetCart&compare=7`, (page) => press(page, /^Run/)],
    ['fork', carts, `#/entities/${ada}?at=7&view=fork`, (page) => press(page, 'Run in the fork')],
    ['calls', carts, '#/calls'],
    ['call', functions, `#/calls/${trace}`],
    ['try', carts, `#/try/${CART}/GetCart?entity=ada`, (page) => press(page, 'Send')],
    ['cluster', replicas, '#/cluster'],
    ['cluster-link', replicas, '#/cluster?link=1-2'],
    ['crdts', replicas, '#/crdts'],
    ['crdt', replicas, `#/crdts/${room.entity.join('/')}`],
    ['overview', carts, '#/'], // after a while, so that its curves have a shape
    ['metrics', carts, '#/metrics'],
    ['logs', carts, '#/logs'],
    ['settings', carts, '#/settings'],
    ['scaling', scaled, '#/scaling?minutes=1', (page) => page.waitForTimeout(Math.max(0, 55_000 - 1_000 * process.uptime()))],
    ['scaling-settings', scaled, '#/scaling?minutes=1&view=settings', (page) => page.getByRole('table', { name: 'Settings' }).scrollIntoViewIfNeeded()],
    ['scaling-off', empty, '#/scaling'],
    ['topics', carts, '#/topics'],
  ];
}

const press = (page, name) => page.getByRole('button', { name }).first().click();

// People who shop while pictures are taken, so that there is something on its way.
function keepShopping() {
  let over = false;
  const shop = async (i) => {
    while (!over) {
      const userId = `visitor-${Math.floor(Math.random() * 40)}`;
      const quantity = Math.random() < 0.03 ? 0 : 1 + Math.floor(Math.random() * 4);
      await carts.call(`${CART}/AddItem`, { userId, productId: `p${i}`, name: ['Oat milk', 'Cup, 80 ml', 'Kettle', 'Grinder'][i], quantity });
      if (Math.random() < 0.6) await carts.call(`${CART}/GetCart`, { userId });
      await new Promise((done) => setTimeout(done, 20 + Math.random() * 120));
    }
  };
  const shopping = inParallel(4, 4, shop);
  return async () => {
    over = true;
    await shopping;
  };
}

async function take([name, it, route, prepare], scheme) {
  const page = await it.open(route, { scheme, width: 1440, height: 900, waitFor: 'h1, h2' });
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
  await prepare?.(page);
  await page.waitForTimeout(2_500); // for curves to have a shape
  const path = join(directory, `${name}-${scheme}.png`);
  const picture = smaller(await page.screenshot({ animations: 'disabled' }));
  await it.closePages();
  writeFileSync(path, picture);
  console.log(`${path}: ${Math.round(picture.length / 1024)} KiB${picture.length > MOST_BYTES ? ', TOO LARGE' : ''}`);
  return picture.length <= MOST_BYTES;
}

await Promise.all(sessions.map((it) => it.start()));
try {
  const [cart, room, trace] = await Promise.all([shopping(carts), disagreeing(replicas), forwarding(functions)]);
  const wanted = pictures(cart, room, trace).filter(([name]) => only.length === 0 || only.includes(name));
  assert.ok(wanted.length > 0, `there is no picture ${only.join(', ')}`);
  const stopShopping = keepShopping();
  const stopWaves = waves(scaled);
  try {
    let small = true;
    for (const picture of wanted) {
      for (const scheme of ['light', 'dark']) small = (await take(picture, scheme)) && small;
    }
    assert.ok(small, 'a picture is too large for the repository');
  } finally {
    await Promise.all([stopShopping(), stopWaves()]);
  }
} finally {
  await Promise.all(sessions.map((it) => it.stop()));
}
