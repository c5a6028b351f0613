// Figures of the last minutes as charts and tables.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CART, dashboard, eventually } from './harness.js';

const it = dashboard({ sample: 'shopping-cart-node', nodes: 2 });

const CHARTS = [
  'Calls per second', 'How long calls took', 'Events stored per second', 'Bytes stored per second', 'Time for one command, on average',
  'Clients’ calls', 'Commands in the user function', 'Reads and writes of the journal',
  'Active entities', 'Waiting commands', 'Memory of the emulator', 'Processors in use',
];
const chart = (page, title) => page.getByRole('img', { name: new RegExp(`^${title}: now `) });
const tableRow = (page, name) => page.getByRole('rowheader', { name }).locator('..');
const cells = async (page, name) => (await tableRow(page, name).getByRole('cell').allTextContents()).map((text) => text.replace(/,/g, ''));
const queryOf = (page) => page.evaluate(() => location.hash.split('?')[1] ?? '');
const fail = () => it.call(`${CART}/AddItem`, { userId: 'me', productId: 'p', quantity: -1 });

test('every chart is drawn and tells its newest values in words', async () => {
  const page = await it.open('#/metrics');
  for (const title of CHARTS) {
    await chart(page, title).waitFor();
    assert.ok(await chart(page, title).locator('canvas').first().evaluate(({ width, height }) => width > 100 && height > 50), title);
  }
  await eventually('memory in use', async () => /resident [1-9]\d* MiB/.test(await chart(page, 'Memory of the emulator').getAttribute('aria-label')));
  await eventually('both nodes', async () => /node 1 \d+, node 2 \d+/.test(await chart(page, 'Active entities').getAttribute('aria-label')));
});

test('tables tell calls, failures and what was stored', async () => {
  const page = await it.open('#/metrics');
  await it.fill(3, 4, 'figures-');
  await fail();
  await eventually('all calls', async () => {
    if ((await tableRow(page, CART).count()) === 0) return false;
    const [, calls, failed, p50] = await cells(page, CART);
    return Number(calls) >= 13 && Number(failed) >= 1 && /(µs|ms)$/.test(p50);
  });
  const [commands, failed, processing, , events, bytes] = await cells(page, 'shopping-cart event sourced');
  assert.ok(Number(commands) >= 13);
  assert.ok(Number(failed) >= 1);
  assert.match(processing, /(µs|ms)$/);
  assert.ok(Number(events) >= 12);
  assert.match(bytes, /(B|KiB)$/);
});

test('service and range stand in the address', async () => {
  await it.fill(1, 1, 'address-');
  const page = await it.open('#/metrics');
  await page.getByRole('combobox', { name: 'Service' }).selectOption(CART);
  await page.getByRole('heading', { level: 2, name: `Calls of ${CART}` }).waitFor();
  await page.getByRole('button', { name: '15 min' }).click();
  assert.equal(await queryOf(page), `service=${CART}&minutes=15`);
  await page.reload();
  await page.getByRole('heading', { level: 2, name: `Calls of ${CART}` }).waitFor();
  assert.equal(await page.getByRole('button', { name: '15 min' }).getAttribute('aria-pressed'), 'true');
  await tableRow(page, CART).waitFor();
  await page.getByRole('button', { name: '5 min', exact: true }).click();
  await page.getByRole('combobox', { name: 'Service' }).selectOption('');
  await page.getByRole('heading', { level: 2, name: 'Calls', exact: true }).waitFor();
  assert.equal(await queryOf(page), '');
});

test('a service without calls has none', async () => {
  const page = await it.open('#/metrics?service=shop.Unheard');
  await page.getByText('No calls in the last 5 minutes.').waitFor();
  await page.getByText('No commands in the last 5 minutes.').waitFor();
});

test('what is paused stands still, and goes on with what has come meanwhile', async () => {
  await it.fill(1, 1, 'pause-');
  const page = await it.open('#/metrics');
  const other = await it.open('#/metrics');
  const calls = async (on) => Number((await cells(on, CART))[1]);
  await tableRow(page, CART).waitFor();
  await tableRow(other, CART).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  const before = await calls(page);
  await it.fill(1, 5, 'paused-');
  await eventually('the other page has them', async () => (await calls(other)) >= before + 5);
  assert.equal(await calls(page), before);
  await page.getByRole('button', { name: 'Paused' }).click();
  await eventually('this page has them', async () => (await calls(page)) >= before + 5);
});

test('charts are drawn at most once a second', async () => {
  const page = await it.open('#/metrics');
  await chart(page, 'Calls per second').waitFor();
  // Each drawing begins with clearing the canvas.
  await page.evaluate(() => {
    window.drawn = 0;
    const place = [...document.querySelectorAll('figure')].find((each) => each.querySelector('figcaption').textContent === 'Processors in use').querySelector('canvas');
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...area) {
      if (this.canvas === place) ++window.drawn;
      return clearRect.apply(this, area);
    };
    window.since = performance.now();
  });
  await eventually('four drawings', () => page.evaluate(() => window.drawn >= 4));
  const perSecond = await page.evaluate(() => window.drawn / ((performance.now() - window.since) / 1000));
  assert.ok(perSecond <= 1.4, `${perSecond} a second`);
});

test('Prometheus finds figures at the address that is told', async () => {
  const page = await it.open('#/metrics');
  await page.getByRole('button', { name: 'Copy this command' }).click();
  await page.getByText('Copied').waitFor();
  const [, address] = /^curl (http:\S+)$/.exec(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(await (await fetch(address)).text(), /^# HELP /m);
});
