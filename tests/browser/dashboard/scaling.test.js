// The page Scaling: every interaction, against replicas that are processes of their own.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { addressed, CART, counts, dashboard, eventually, hideable, inParallel } from './harness.js';

const { IMAGE } = createRequire(import.meta.url)('./hostile/texts.cjs');

// Quicker than usual, so that the tests are.
const CLUSTER = ['--heartbeat-interval', '100ms', '--rebalance-interval', '200ms', '--stable-after', '200ms'];
const KNATIVE = ['--scale-tick', '250ms', '--stable-window', '3s', '--scale-target', '2', '--max-scale', '3', '--scale-to-zero-grace-period', '1s'];
const SLOW = { NODE_OPTIONS: `--require ${fileURLToPath(new URL('slow.cjs', import.meta.url))}`, WORK_MS: '20' };
const it = dashboard({ sample: 'shopping-cart-node', env: SLOW, run: ['--scaling', 'manual', ...KNATIVE, ...CLUSTER] });

const scaling = () => it.api('/v1/scaling');
const set = (body) => it.api('/v1/scaling:set', { body });
const ready = (count) => eventually(`${count} replicas`, async () => {
  const now = await scaling();
  return (now.ready ?? 0) === count && !now.starting && !now.draining;
}, 30);

// However the test before ended.
async function byHand(replicas) {
  await set({ mode: 'manual', replicas });
  await ready(replicas);
}

async function open(route = '#/scaling', options) {
  const page = await it.open(route, options);
  await page.getByRole('region', { name: 'Now' }).waitFor();
  return page;
}

// People who add to their carts, each one after the other, until the returned function is called: it tells how many calls failed.
function shop(people) {
  let over = false;
  let failed = 0;
  const all = inParallel(people, people, async (i) => {
    while (!over) {
      const { ok } = await it.call(`${CART}/AddItem`, { userId: `shopper-${i}`, productId: 'p', name: 'one', quantity: 1 });
      if (!ok) ++failed;
    }
  });
  return async () => {
    over = true;
    await all;
    return failed;
  };
}

const now = (page, label) => page.getByRole('region', { name: 'Now' }).getByRole('definition').nth(['Wanted', 'Ready', 'Starting', 'Draining', 'Held calls'].indexOf(label));
const shows = (page, label, value) => eventually(`${label} is ${value}`, async () => (await now(page, label).textContent()) === String(value), 30);
const mode = (page, name) => page.getByRole('group', { name: 'Mode' }).getByRole('button', { name });
const replicas = (page) => page.getByRole('grid', { name: 'Replicas' });
const decisions = (page) => page.getByRole('grid', { name: 'Decisions' });
const figures = (page) => page.getByRole('group', { name: 'Figures' });
const slider = (page) => page.getByRole('slider', { name: 'Look back' });
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const at = (page) => page.evaluate(() => new URLSearchParams(location.hash.split('?')[1]).get('at'));

test('replicas are set by hand, one more or fewer, or as many as are typed', async () => {
  await byHand(1);
  const page = await open('#/scaling?view=replicas');
  await replicas(page).getByRole('row', { name: /node 1 .*ready/ }).waitFor();
  await page.getByRole('button', { name: 'One more' }).click();
  await page.getByRole('status').getByText('Wanted now: 2 replicas').waitFor();
  const row = replicas(page).getByRole('row', { name: /node 2 .*ready/ });
  await row.waitFor();
  const { pid, userFunctionAddress } = (await scaling()).replicas.find(({ node }) => node === 2);
  assert.match(await row.textContent(), new RegExp(`\\d m?s.*${pid}.*${userFunctionAddress}`), 'a cold start, a process and an address');
  const field = page.getByRole('textbox', { name: 'Replicas' });
  await field.fill('many');
  assert.ok(await page.getByRole('button', { name: 'Set', exact: true }).isDisabled());
  await field.fill('3');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await shows(page, 'Ready', 3);
  await page.getByRole('button', { name: 'One fewer' }).click();
  await shows(page, 'Ready', 2);
  await replicas(page).getByRole('link', { name: 'node 2' }).click();
  await page.getByRole('region', { name: 'Selection' }).getByRole('heading', { name: 'Node 2' }).waitFor();
});

test('Enter sets what was typed, which stays while others change what is wanted', async () => {
  await byHand(1);
  const page = await open();
  const field = page.getByRole('textbox', { name: 'Replicas' });
  await field.fill('2x');
  await set({ replicas: 3 });
  await shows(page, 'Wanted', 3);
  assert.equal(await field.inputValue(), '2x');
  await field.fill('2');
  await field.press('Enter');
  await shows(page, 'Wanted', 2);
  await set({ replicas: 1 });
  await shows(page, 'Wanted', 1);
  assert.equal(await field.inputValue(), '1', 'it follows again');
});

test('cold starts, drains and what was set by hand are lines of their own', async () => {
  await byHand(1);
  await byHand(2);
  await byHand(1);
  const page = await open();
  await decisions(page).getByRole('row', { name: /set .*1 → 2.*set by hand/ }).first().waitFor();
  await page.getByRole('combobox', { name: 'Show' }).selectOption('Cold starts and drains');
  await addressed(page, /kind=replica/);
  await decisions(page).getByRole('row', { name: /node 2 .*ready/ }).first().waitFor();
  await decisions(page).getByRole('row', { name: /node 2 .*drain/ }).first().waitFor();
  await counts(decisions(page).getByRole('row', { name: /set by hand/ }), 0);
});

test('scaled to zero is told on every page, and a call that is held is seen', async () => {
  await byHand(1);
  await it.fill(1, 1, 'zero-');
  await byHand(0);
  const page = await open('#/scaling?view=replicas');
  await replicas(page).getByText('0 are wanted by hand; calls are held until more are').waitFor();
  const idle = page.getByRole('img', { name: 'User function: scaled to zero; calls are held' });
  await idle.waitFor();
  const overview = await it.open('#/');
  await overview.getByRole('heading', { name: /is scaled to zero/ }).waitFor();
  await overview.getByText('manual: scaled to zero').waitFor();
  const call = it.call(`${CART}/GetCart`, { userId: 'zero-0' });
  await shows(page, 'Held calls', 1);
  await overview.getByText('1 call held').waitFor();
  await page.getByRole('button', { name: 'One more' }).click();
  assert.ok((await call).ok, 'it was answered once there was a replica');
  await shows(page, 'Held calls', 0);
  await idle.waitFor({ state: 'detached' });
  await overview.getByRole('heading', { name: /is ready/ }).waitFor();
});

test('the mode is switched after a question; decisions are listed, chosen and linked to, with their figures', async () => {
  await byHand(1);
  const page = await open();
  await mode(page, 'knative').click();
  const dialog = page.getByRole('dialog', { name: 'Switch from manual to knative?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await eventually('the focus is back', () => mode(page, 'knative').evaluate((each) => each === document.activeElement));
  assert.equal((await scaling()).mode, 'manual');
  await mode(page, 'knative').click();
  await dialog.getByRole('button', { name: 'Switch' }).click();
  await page.getByRole('status').getByText('The mode is knative now').waitFor();
  await eventually('it is the mode that is pressed', async () => (await mode(page, 'knative').getAttribute('aria-pressed')) === 'true');
  await counts(page.getByRole('group', { name: 'Replicas by hand' }), 0);

  const stop = shop(8);
  const row = decisions(page).getByRole('row', { name: /decision .*1 → [23]/ }).first();
  await row.waitFor();
  await shows(page, 'Ready', 3);
  assert.equal(await stop(), 0);
  await page.getByRole('region', { name: 'Now' }).getByText(/^Last decision/).waitFor();
  await row.click();
  const chosen = await at(page);
  assert.match(chosen, /^20\d\d-.*Z$/);
  const told = await figures(page).getByRole('table', { name: 'Figures behind it' }).getByRole('rowheader').allTextContents();
  assert.ok(told.length >= 3, told.join());
  await page.reload();
  await figures(page).getByText(/1 → [23]/).waitFor();
  await page.getByRole('button', { name: 'Back to the newest' }).click();
  assert.equal(await at(page), null);

  // With the keyboard: the list, and from it to the figures.
  await decisions(page).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await eventually('the figures have the focus', () => figures(page).evaluate((each) => each === document.activeElement));
  assert.notEqual(await at(page), null);
});

test('what was told while nobody looked is there when the page is seen again', async () => {
  await byHand(1);
  const page = await it.open('#/scaling', { init: hideable });
  await decisions(page).getByRole('row', { name: /set by hand/ }).first().waitFor();
  const listed = [];
  page.on('request', (request) => /scaling\/events\?/.test(request.url()) && listed.push(request.url()));
  await page.evaluate(() => window.hide(true));
  await byHand(2);
  await page.evaluate(() => window.hide(false));
  await decisions(page).getByRole('row', { name: /1 → 2.*set by hand/ }).first().waitFor();
  await eventually('the whole list was asked for again', () => listed.length > 0);
});

test('the charts tell what was at a moment, by mouse and by keyboard', async () => {
  await byHand(1);
  await set({ mode: 'knative' });
  const stop = shop(4);
  await eventually('more are wanted', async () => (await scaling()).wanted > 1);
  assert.equal(await stop(), 0);
  const page = await open('#/scaling?minutes=1');
  for (const title of ['Replicas', 'Calls under way', 'Calls held by the activator']) {
    await page.getByRole('img', { name: new RegExp(`^${title}: now `) }).waitFor();
  }
  await page.getByText('panic', { exact: true }).first().waitFor();
  await slider(page).focus();
  const newest = await slider(page).getAttribute('aria-valuetext');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: 'At the mark' }).waitFor();
  assert.match(await slider(page).getAttribute('aria-valuetext'), /\d+ ready, .* wanted, (stable|panic)/);
  assert.notEqual(await slider(page).getAttribute('aria-valuetext'), newest);
  await page.keyboard.press('Enter');
  await eventually('it is in the address', () => at(page));
  await page.getByRole('heading', { name: 'Chosen' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: 'At the mark' }).waitFor();
  await slider(page).blur();
  await page.getByRole('heading', { name: 'Chosen' }).waitFor();
  await page.getByRole('button', { name: 'Back to the newest' }).click();
  const plot = page.locator('.sc-charts .u-over').first();
  const { width } = await plot.boundingBox();
  await plot.hover({ position: { x: width - 30, y: 40 } });
  await page.getByRole('heading', { name: 'At the mark' }).waitFor();
  await page.mouse.down();
  await page.mouse.up();
  await eventually('a click keeps it', () => at(page));
  await page.getByRole('heading', { name: 'Chosen' }).waitFor();
  await page.mouse.move(0, 0);
  await page.getByRole('heading', { name: 'Chosen' }).waitFor();
  await page.getByRole('group', { name: 'Range' }).getByRole('button', { name: '15 min' }).click();
  await addressed(page, /minutes=15/);
});

test('a setting is changed in place, with what the emulator says against it', async () => {
  await byHand(1);
  await set({ mode: 'knative', settings: { 'scale-target': '2' } });
  const page = await open('#/scaling?view=settings');
  const table = page.getByRole('table', { name: 'Settings' });
  const row = table.getByRole('row', { name: /--scale-target / });
  await row.getByText('changed').waitFor();
  await row.getByText('autoscaling.knative.dev/target', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Change scale-target' }).click();
  const field = row.getByRole('textbox', { name: 'scale-target' });
  it.allow(page, /400/);
  await field.fill('lots');
  await page.keyboard.press('Enter');
  await row.getByRole('alert').getByText(/'lots' is not a number/).waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  await field.fill('7.5');
  await page.keyboard.press('Enter');
  await row.getByRole('button', { name: 'Change scale-target' }).waitFor();
  await row.getByText('7.5', { exact: true }).waitFor();
  assert.ok(await row.getByRole('button', { name: 'Change scale-target' }).evaluate((each) => each === document.activeElement), 'the focus is where it was');
  await page.keyboard.press('Enter');
  await row.getByRole('button', { name: /^default: / }).click();
  assert.equal(await field.inputValue(), '0');
  await page.keyboard.press('Escape');
  await row.getByText('7.5', { exact: true }).waitFor();
  const { settings } = await scaling();
  assert.equal(settings.find(({ name }) => name === 'scale-target').value, '7.5');
  await set({ settings: { 'scale-target': '2' } });
});

test('settings are taken along as a command, and for Knative; those of other modes are there when asked for', async () => {
  await byHand(1);
  await set({ mode: 'knative', settings: { 'scale-target': '2' } });
  const page = await open('#/scaling?view=settings');
  const table = page.getByRole('table', { name: 'Settings' });
  await table.getByRole('row', { name: /--stable-window/ }).waitFor();
  await counts(table.getByRole('row', { name: /USER_FUNCTION_TARGET_CONCURRENCY/ }), 0);
  await page.getByRole('button', { name: 'Copy for Knative' }).click();
  await page.getByText('Copied').first().waitFor();
  assert.match(await clipboard(page), /annotations:\n(?: {8}.*\n)* {8}autoscaling\.knative\.dev\/target: "2"\n/);
  await page.getByRole('button', { name: 'Copy as a command', exact: true }).click();
  await eventually('a command', async () => /^cloudstate-dev scale set .*scale-target[= ]2/.test(await clipboard(page)));
  const fixed = table.getByRole('row', { name: /--initial-scale / });
  await fixed.getByText('fixed at the start').waitFor();
  await counts(fixed.getByRole('button'), 0);
  await page.getByRole('button', { name: 'Other modes too' }).click();
  await table.getByRole('row', { name: /USER_FUNCTION_TARGET_CONCURRENCY/ }).waitFor();
  await addressed(page, /all=1/);
});

test('what others say is text', async () => {
  await byHand(1);
  const page = await it.open('#/settings');
  const real = await scaling();
  const event = { time: new Date().toISOString(), kind: IMAGE, text: IMAGE, phase: IMAGE, wantedBefore: 1, wanted: 2, figures: [{ name: IMAGE, value: 1 }] };
  const setting = { name: IMAGE, value: IMAGE, defaultValue: IMAGE, modes: [], environment: IMAGE, knativeName: IMAGE, help: IMAGE };
  const replica = { node: 1, state: IMAGE, userFunctionAddress: IMAGE };
  await page.route(/\/v1\/scaling$/, (route) => route.fulfill({ json: { ...real, lastDecision: event, replicas: [replica], settings: [setting] } }));
  await page.route(/\/v1\/scaling\/events\?/, (route) => route.fulfill({ json: { events: [event] } }));
  for (const view of ['decisions', 'replicas', 'settings']) {
    await page.evaluate((to) => { location.hash = to; }, `#/scaling?view=${view}&at=${encodeURIComponent(`${event.time} ${IMAGE}`)}`);
    await eventually(`it is seen in ${view}`, async () => (await page.getByRole('tabpanel').getByText(IMAGE).count()) > 0);
    await counts(page.locator('main img'), 0);
  }
});

test('an emulator that is started anew is followed, and what was decided before is gone', async () => {
  await byHand(2);
  const page = await open();
  await decisions(page).getByRole('row', { name: /set by hand/ }).first().waitFor();
  it.allow(page, /ERR_CONNECTION_REFUSED|WebSocket|50[23]/);
  const begin = await it.interrupt();
  await page.getByRole('alert').getByText('The emulator has not answered').waitFor();
  await begin();
  await eventually('the old lines are gone', async () => (await decisions(page).getByRole('row', { name: /set by hand/ }).count()) === 0);
  await set({ replicas: 2 });
  await decisions(page).getByRole('row', { name: /set by hand/ }).first().waitFor();
});

test('read-only: nothing can be changed, and the page says why', async () => {
  const fixed = dashboard({ sample: 'shopping-cart-node', run: ['--scaling', 'manual', '--read-only'], manual: true });
  await fixed.start();
  try {
    const page = await fixed.open('#/scaling?view=settings');
    const more = page.getByRole('button', { name: 'One more' });
    await eventually('it is disabled', () => more.isDisabled());
    assert.match(await more.getAttribute('title'), /--read-only/);
    assert.ok(await mode(page, 'knative').isDisabled());
    assert.ok(await page.getByRole('button', { name: 'Change max-scale' }).isDisabled());
    await fixed.closePages();
  } finally {
    await fixed.stop();
  }
});
