// What is much: a list of 300,000 entities, whose scroll bar is compressed, and an entity whose events are large.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { binary, CART, dashboard, eventually } from './harness.js';

const ENTITIES = 300_000;
const LARGE = 40;
const MIB = 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'dashboard-many-'));
const it = dashboard({ sample: 'shopping-cart-node', keep: join(folder, 'data'), manual: true });

const nameOf = (i) => `cart-${String(i).padStart(6, '0')}`;

// An archive of carts with one event each, as `cloudstate-dev export` writes it.
function archive() {
  const key = (i) => `"persistence_id":"shopping-cart","entity_id":"${nameOf(i)}"`;
  const time = '2026-01-31T23:59:59.1Z';
  const lines = ['{"archive":"cloudstate-dev journal","version":1}'];
  for (let i = 0; i < ENTITIES; ++i) lines.push(`{"entity":{${key(i)},"service":"${CART}","created":"${time}","updated":"${time}"}}`);
  for (let i = 0; i < ENTITIES; ++i) {
    const cause = i > 0 ? '' : `,"cause":{"trace":"","service":"${CART}","method":"AddItem","type":"","payload":""}`;
    lines.push(`{"event":{${key(i)},"sequence":1,"time":"${time}","service":"${CART}","type":"example.Added","payload":""${cause}}}`);
  }
  const zipped = gzipSync(`${lines.join('\n')}\n`, { level: 1 });
  // Of all that is in it: gzip has the same one, eight bytes before the end.
  const checksum = zipped.readUInt32LE(zipped.length - 8).toString(16).padStart(8, '0');
  const end = `{"end":{"types":0,"entities":${ENTITIES},"events":${ENTITIES},"snapshots":0,"lives":0,"replicas":0,"crc32":"${checksum}"}}\n`;
  return Buffer.concat([zipped, gzipSync(end)]);
}

before(async () => {
  const file = join(folder, 'many.gz');
  writeFileSync(file, archive());
  execFileSync(binary, ['--data-dir', join(folder, 'data'), 'import', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await it.start();
});
after(async () => {
  await it.stop();
  rmSync(folder, { recursive: true, force: true });
});

const grid = (page) => page.getByRole('grid', { name: 'Entities' });
const cart = (page, i) => page.getByRole('link', { name: nameOf(i), exact: true });

test('of hundreds of thousands of entities any is reached at once, by keys and by the scroll bar', async () => {
  const page = await it.open('#/entities');
  await page.getByRole('heading', { level: 1, name: 'Entities 300,000' }).waitFor();
  await cart(page, 0).waitFor();
  const asked = [];
  page.on('request', (request) => request.url().includes('/v1/entities?') && asked.push(request.url()));
  await grid(page).focus();
  await page.keyboard.press('End');
  await cart(page, ENTITIES - 1).waitFor();
  assert.ok(asked.length <= 2, `${asked.length} requests`);
  assert.ok((await page.getByRole('row').count()) < 80, 'only rows that are seen are on the page');
  const { bottom } = await cart(page, ENTITIES - 1).evaluate((link) => link.getBoundingClientRect());
  assert.ok(bottom <= await grid(page).evaluate((element) => element.getBoundingClientRect().bottom) + 1, 'the last row is seen whole');

  // By the keys to the row that is meant, though the bar is too short for each to have a place of its own.
  for (let i = 2; i <= 40; ++i) {
    await page.keyboard.press('ArrowUp');
    await grid(page).locator('[aria-selected=true]').getByText(nameOf(ENTITIES - i), { exact: true }).waitFor();
  }
  // Faster than anything is painted.
  await grid(page).evaluate(async (element) => {
    for (let i = 0; i < 10; ++i) {
      element.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true }));
      await new Promise((resolve) => { setTimeout(resolve); });
    }
  });
  await grid(page).locator('[aria-selected=true]').getByText(nameOf(ENTITIES - 50), { exact: true }).waitFor();
  await page.keyboard.press('PageUp');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /^shopping-cart\/cart-2999/ }).waitFor();
  await page.goBack();
  await grid(page).locator('[aria-selected=true]').waitFor();

  await grid(page).evaluate((element) => { element.scrollTop = element.scrollHeight / 2; });
  // The first rows are there to be scrolled to.
  const middle = await eventually('rows of the middle', async () => {
    const name = (await grid(page).getByRole('link').allInnerTexts())[15];
    return /^cart-1[45]\d{4}$/.test(name) && name;
  });
  await page.getByRole('link', { name: middle, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: `shopping-cart/${middle}`, exact: true }).waitFor();
  await page.goBack();
  await grid(page).focus();
  await page.keyboard.press('Home');
  await cart(page, 0).waitFor();
});

test('the page of an entity with large events asks for as much as is looked at', async () => {
  for (let i = 1; i <= LARGE; ++i) {
    const { ok, json } = await it.call(`${CART}/AddItem`, { userId: 'large', productId: 'p', name: `${i} ${'x'.repeat(MIB / 2)}`, quantity: 1 });
    assert.ok(ok, JSON.stringify(json));
  }
  const page = await it.open('#/');
  const answers = [];
  page.on('requestfinished', async (request) => {
    if (request.url().endsWith('/ListEvents')) answers.push((await request.sizes()).responseBodySize / MIB);
  });
  await page.evaluate(() => { location.hash = '#/entities/shopping-cart/large'; });
  const panel = page.getByRole('tabpanel');
  await panel.getByRole('heading', { name: 'Stored by ShoppingCart.AddItem' }).waitFor();
  await panel.getByText(`"${LARGE} xxx`).first().waitFor();
  const events = page.getByRole('grid', { name: 'Events' });
  await eventually('all rows that are seen', async () => (await events.locator('.cell-waiting').count()) === 0);
  assert.ok(Math.max(...answers) < 16, `answers of ${answers} MiB`);
  await events.getByText('35', { exact: true }).click();
  await panel.getByText('"35 xxx').first().waitFor();
  await page.keyboard.press('End');
  await panel.getByText('"1 xxx').first().waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  await download;
  assert.ok(Math.max(...answers) < 16, `answers of ${answers} MiB`);
});
