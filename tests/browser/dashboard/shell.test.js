// The frame around all pages: where one can go, by mouse and keyboard, and what happens when the emulator goes away.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startEmulator } from '../emulator.js';
import { CART, binary, counts, dashboard, eventually } from './harness.js';
import { link, PAGES, shown } from './pages.js';

const it = dashboard({ sample: 'shopping-cart-node', nodes: 2, keep: true });

const routeOf = (page) => page.evaluate(() => location.hash);
const focused = (page) => page.evaluate(() => document.activeElement.tagName);
// A page may go on to the first of what it shows.
const assertAt = (actual, expected) => assert.ok((actual || '#/').startsWith(expected), `${actual} for ${expected}`);

test('the sidebar leads to every page, and marks where one is', async () => {
  const page = await it.open();
  for (const { title, route } of PAGES.toReversed()) {
    await link(page, title).click();
    await shown(page, title);
    assertAt(await routeOf(page), route);
    assert.equal(await link(page, title).getAttribute('aria-current'), 'page');
    await counts(page.locator('.sidebar [aria-current=page]'), 1);
    assert.match(await page.title(), new RegExp(`^${title.split(' ')[0]}.* · cloudstate-dev$`));
    assert.equal(await focused(page), 'H1', `${title}: screen readers hear the new page's heading`);
  }
});

test('the browser goes back and forward', async () => {
  const page = await it.open('#/entities');
  await link(page, 'Calls').click();
  await shown(page, 'Calls');
  await page.goBack();
  await shown(page, 'Entities');
  await page.goForward();
  await shown(page, 'Calls');
});

test('g and a letter goes to a page', async () => {
  const page = await it.open();
  for (const { title, key } of PAGES.toReversed()) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await shown(page, title);
  }
});

test('keys do nothing to those who type', async () => {
  await it.fill(1);
  const page = await it.open('#/entities');
  await page.locator('[data-search]').waitFor();
  await page.keyboard.press('/');
  assert.equal(await focused(page), 'INPUT');
  await page.keyboard.type('gc?');
  await eventually('what was typed stands in the address', async () => (await routeOf(page)).includes('gc%3F'));
  await counts(page.getByRole('dialog'), 0);
  await shown(page, 'Entities');
});

test('? tells all keys, and Escape closes', async () => {
  const page = await it.open();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await dialog.waitFor();
  for (const { title } of PAGES) await dialog.getByText(title, { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'detached' });
});

test('an address can be opened and loaded again', async () => {
  for (const { title, route } of PAGES) {
    const page = await it.open(route);
    await shown(page, title);
    await page.reload();
    await shown(page, title);
    assertAt(await routeOf(page), route);
    await it.closePages();
  }
});

test('an address that leads nowhere leads back', async () => {
  const page = await it.open('#/nowhere/%zz', { waitFor: 'h2' });
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await page.getByRole('link', { name: 'To the overview' }).click();
  await shown(page, 'Overview');
});

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const brightness = (color) => Math.max(...color.match(/[\d.]+/g).slice(0, 3).map(Number));

test('the theme follows the system until a person chooses', async () => {
  const page = await it.open('#/settings', { scheme: 'dark' });
  assert.ok(brightness(await background(page)) < 80, 'dark, as the system is');
  await page.emulateMedia({ colorScheme: 'light' });
  assert.ok(brightness(await background(page)) > 200, 'light, as the system is now');
  const theme = page.getByRole('radio', { name: 'Dark' }).or(page.getByLabel('Theme'));
  await theme.first().waitFor();
  if (await page.getByRole('radio', { name: 'Dark' }).count()) await page.getByRole('radio', { name: 'Dark' }).check({ force: true });
  else await page.getByLabel('Theme').selectOption({ label: 'Dark' });
  await eventually('dark, as was chosen', async () => brightness(await background(page)) < 80);
  await page.reload();
  await shown(page, 'Settings');
  assert.ok(brightness(await background(page)) < 80, 'still dark');
});

test('the first Tab offers to skip the sidebar', async () => {
  const page = await it.open();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the page' });
  assert.ok(await skip.evaluate((element) => element === document.activeElement));
  const box = await skip.boundingBox();
  assert.ok(box.x >= 0 && box.y >= 0 && box.width > 20, 'and is seen then');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'MAIN');
});

test('a narrow window has no sideways scroll bar', async () => {
  for (const { title, route } of PAGES) {
    const page = await it.open(route, { width: 700 });
    await shown(page, title);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${title} is ${wider} pixels too wide`);
    await it.closePages();
  }
});

test('the sidebar tells how the user function is', async () => {
  const page = await it.open();
  await page.getByRole('img', { name: 'User function: ready' }).waitFor();
  await page.locator('.pulse').getByText('shopping-cart-node').waitFor();
});

test('an emulator that goes away is told, and the page goes on with the next one', async () => {
  const page = await it.open(`#/try/${CART}/GetCart?entity=me`, { allow: [/./] });
  const banner = page.getByRole('alert').filter({ hasText: 'The emulator has not answered for' });
  await page.getByRole('img', { name: 'User function: ready' }).waitFor();
  await counts(banner, 0);

  const token = await it.token();
  const startAgain = await it.interrupt();
  await banner.waitFor();
  await page.getByRole('img', { name: 'The emulator does not answer' }).waitFor();
  await link(page, 'Entities').click();
  await shown(page, 'Entities');

  await startAgain();
  assert.notEqual(await it.token(), token);
  await banner.waitFor({ state: 'detached' });
  await page.getByRole('img', { name: 'User function: ready' }).waitFor();
  await page.goBack();
  // Only a page that has the new run's token may call.
  await page.getByRole('button', { name: 'Send' }).first().click();
  await page.getByRole('region', { name: 'Answer' }).getByRole('status').getByText('OK').waitFor();
});

test('run --open shows the page in the browser that BROWSER names', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'dashboard-open-'));
  const [browser, opened] = [join(scratch, 'browser'), join(scratch, 'opened')];
  writeFileSync(browser, `#!/bin/sh\necho "$*" >${opened}.part\nmv ${opened}.part ${opened}\n`);
  chmodSync(browser, 0o755);
  const emulator = await startEmulator(['--open'], { binary, env: { BROWSER: browser } });
  try {
    await eventually('the browser was started', () => existsSync(opened));
    const address = readFileSync(opened, 'utf8').trim().replace(/\/$/, '');
    assert.equal(address, `http://${emulator.admin}`);
    assert.match(await (await fetch(address)).text(), /<title>cloudstate-dev/);
  } finally {
    await emulator.stop();
    rmSync(scratch, { recursive: true });
  }
});
