// How this browser shows things, how the run was told to run, and what all of it is made of; the pages of what is off or still to come.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { counts, dashboard, eventually } from './harness.js';
import { shown } from './pages.js';

const it = dashboard({ sample: 'shopping-cart-node', nodes: 2, keep: true });

const theme = (page) => page.evaluate(() => document.documentElement.dataset.theme ?? 'system');
const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const copy = async (page, name) => {
  await page.getByRole('button', { name, exact: true }).first().click();
  await page.getByText('Copied').first().waitFor();
  return clipboard(page);
};

test('colours are chosen and kept', async () => {
  const page = await it.open('#/settings');
  const light = await background(page);
  await page.getByRole('radio', { name: 'Dark' }).check();
  assert.equal(await theme(page), 'dark');
  assert.notEqual(await background(page), light);
  await page.reload();
  await page.getByRole('radio', { name: 'Dark', checked: true }).waitFor();
  assert.equal(await theme(page), 'dark');
  await page.getByRole('radio', { name: 'Dark' }).press('ArrowUp');
  assert.equal(await theme(page), 'light');
  await page.getByRole('radio', { name: 'As the system' }).check();
  assert.equal(await theme(page), 'system');
  assert.equal(await background(page), light);
});

test('times are local or in UTC on all pages', async () => {
  const page = await it.open('#/settings');
  await page.getByRole('radio', { name: 'UTC' }).check();
  await page.getByText(/^Now it is \d\d:\d\d:\d\dZ\.$/).waitFor();
  await page.goto(`${it.url}#/logs`);
  await page.getByRole('grid', { name: 'Log lines' }).getByText(/^\d\d:\d\d:\d\d\.\d{3}Z$/).first().waitFor();
});

test('settings of the run: what differs from the default comes first', async () => {
  const page = await it.open('#/settings');
  const other = page.getByRole('table', { name: 'Other than the default' });
  const same = page.getByRole('table', { name: 'As the default' });
  const nodes = other.getByRole('row').filter({ hasText: '--nodes' });
  await nodes.getByText('2', { exact: true }).waitFor();
  await nodes.getByText('default: 1').waitFor();
  await nodes.getByText('CLOUDSTATE_DEV_NODES').waitFor();
  await same.getByRole('row').filter({ hasText: '--relay-timeout' }).getByText('1m').waitFor();
  await counts(same.getByText('--nodes', { exact: true }), 0);
  assert.equal(await copy(page, 'Copy --nodes'), '--nodes 2');
});

test('settings are searched, and the search stands in the address', async () => {
  const page = await it.open('#/settings');
  const search = page.getByRole('searchbox', { name: 'Search settings' });
  await page.getByText('--relay-timeout', { exact: true }).waitFor();
  await search.fill('power');
  await page.getByText('--relay-timeout', { exact: true }).waitFor({ state: 'detached' });
  await page.getByText('--durability', { exact: true }).waitFor();
  await eventually('the address', async () => (await page.evaluate(() => location.hash)) === '#/settings?q=power');
  await search.fill('nothing like this');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByText('--relay-timeout', { exact: true }).waitFor();
});

test('tells where the data is and how to keep a copy of it', async () => {
  const page = await it.open('#/settings');
  const { dataDirectory } = await it.api('/v1/status');
  assert.equal(await copy(page, 'Copy the directory'), dataDirectory);
  await page.getByText(`cloudstate-dev export backup.journal.gz --admin ${it.emulator.admin}`).waitFor();
  await page.getByText('cloudstate-dev import backup.journal.gz --data-dir backup', { exact: true }).waitFor();
  await page.getByText('Durability is full').waitFor();
});

test('tells its version, and the licences of what it is made of', async () => {
  const page = await it.open('#/settings');
  const { version } = await it.api('/v1/status');
  await page.getByText(`cloudstate-dev ${version}`, { exact: true }).waitFor();
  await page.getByText(/^Preact \d+\.\d+/).waitFor();
  await page.getByText(/^uPlot \d+\.\d+/).waitFor();
  await page.getByText('MIT License of Preact and uPlot').click();
  await page.getByText('Permission is hereby granted').waitFor();
  await page.getByText('Leon Sorokin').waitFor();
});

test('Scaling, which is off, tells what it is and how to have it', async () => {
  const page = await it.open('#/scaling');
  await page.getByRole('heading', { name: 'Scaling is off in this run' }).waitFor();
  await page.getByText('2 nodes run now').waitFor();
  assert.match(await copy(page, 'Copy this command'), /^cloudstate-dev run --scaling knative -- node index\.js$/);
  await page.getByRole('main').getByRole('link', { name: 'Cluster' }).click();
  await shown(page, 'Cluster');
  await page.goBack();
  await page.getByRole('main').getByRole('link', { name: 'Metrics' }).click();
  await shown(page, 'Metrics');
});

test('Topics tells what comes, and what can be done today', async () => {
  const page = await it.open('#/topics');
  await page.getByText('still to come').waitFor();
  assert.equal(await copy(page, 'Copy this command'), `cloudstate-dev journal tail --follow --admin ${it.emulator.admin}`);
  await page.getByText(`curl -N '${it.url}v1/events:watch'`).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Calls' }).click();
  await shown(page, 'Calls');
  await page.goBack();
  await page.getByRole('main').getByRole('link', { name: 'Entities' }).click();
  await shown(page, 'Entities');
});
