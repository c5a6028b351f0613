// The page that everybody sees first: how all is, what happens, and what to do first.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { CART, counts, dashboard, eventually } from './harness.js';
import { shown } from './pages.js';

const it = dashboard({ sample: 'shopping-cart-node' });
const cart = new URL('../../../samples/shopping-cart-node', import.meta.url).pathname;

const step = (page, title) => page.getByRole('listitem').filter({ has: page.getByText(title, { exact: true }) });
const done = (page, title) => step(page, title).getByRole('img', { name: 'Done' });
const routeOf = (page) => page.evaluate(() => location.hash);
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const backTo = async (page) => {
  await page.goto(it.url + '#/');
  await shown(page, 'Overview');
};

test('tells how the user function and the emulator are', async () => {
  const page = await it.open();
  const now = await it.api('/v1/status');
  await page.getByRole('heading', { level: 2, name: 'shopping-cart-node is ready' }).waitFor();
  const user = page.getByRole('region', { name: 'User function' });
  for (const text of [now.userFunction.supportLibraryName, 'node index.js', now.userFunction.address, `pid ${now.userFunction.pid}, never restarted`]) {
    await user.getByText(text).first().waitFor();
  }
  const emulator = page.getByRole('region', { name: 'Emulator' });
  for (const text of [now.version, now.clientAddress, now.adminAddress, now.metricsAddress, 'ephemeral', '1 up']) {
    await emulator.getByText(text).first().waitFor();
  }
  await emulator.getByRole('button', { name: 'Copy the address for clients' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await clipboard(page), now.clientAddress);
  await emulator.getByRole('link', { name: '1 up' }).click();
  await shown(page, 'Cluster');
});

test('first steps check themselves off', async () => {
  const page = await it.open();
  await done(page, 'Have a user function').waitFor();
  await counts(done(page, 'Make a first call'), 0);
  // The line is one that works.
  await step(page, 'Make a first call').getByRole('button', { name: 'Copy this command' }).click();
  await page.getByText('Copied').waitFor();
  execFileSync('sh', ['-c', await clipboard(page)], { stdio: 'ignore' });
  await done(page, 'Make a first call').waitFor();

  await step(page, 'See what it stored').getByRole('link', { name: 'me' }).click();
  await eventually('the entity is shown', async () => (await routeOf(page)) === '#/entities/shopping-cart/me');
  await backTo(page);
  await done(page, 'See what it stored').waitFor();

  await step(page, 'Travel in time').getByRole('link', { name: 'Time travel' }).click();
  await eventually('the entity is shown', async () => (await routeOf(page)).includes('view=travel'));
  await backTo(page);
  await done(page, 'Travel in time').waitFor();

  await step(page, 'Add a node').getByText(`cloudstate-dev nodes add --admin ${it.emulator.admin}`).waitFor();
  await it.api('/v1/cluster:steer', { body: { addNode: {} } });
  await done(page, 'Add a node').waitFor();
  await page.getByRole('region', { name: 'Emulator' }).getByRole('link', { name: '2 up' }).waitFor();

  await it.api('/v1/cluster:steer', { body: { partition: { groups: [{ nodes: [1] }, { nodes: [2] }] } } });
  await done(page, 'Break something').waitFor();
  await it.api('/v1/cluster:steer', { body: { heal: {} } });
  await page.getByText('6 of 6').waitFor();

  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await page.getByRole('heading', { name: 'What to do first' }).waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('button', { name: 'First steps' }).click();
  await page.getByText('6 of 6').waitFor();
});

test('a step opens with the keyboard', async () => {
  const page = await it.open();
  const last = step(page, 'Break something');
  assert.equal(await last.getByText('cloudstate-dev network heal').isVisible(), false);
  await last.locator('summary').focus();
  await page.keyboard.press('Enter');
  await last.getByText('cloudstate-dev network heal').waitFor();
  await last.getByRole('link', { name: 'Cluster' }).click();
  await shown(page, 'Cluster');
});

test('the newest events appear, and lead to their entities', async () => {
  const page = await it.open();
  await it.fill(1, 12, 'newest-');
  const table = page.getByRole('grid', { name: 'Newest events' });
  const row = table.getByRole('row').filter({ hasText: 'shopping-cart/newest-0' });
  await row.filter({ hasText: '12' }).first().waitFor();
  await counts(table.getByRole('row'), 11, 'ten and the head');
  await table.getByRole('row').nth(1).getByText('ItemAdded').waitFor();
  await table.focus();
  await page.keyboard.press('Enter');
  await eventually('the entity is shown', async () => (await routeOf(page)).startsWith('#/entities/shopping-cart/newest-0?at=12'));
  await page.goBack();
  await page.getByRole('link', { name: 'All entities' }).click();
  await shown(page, 'Entities');
});

// The overview with figures that the test makes up: `sample` adds a second's. What the page asks for is asked of `answers`.
async function openFed(answers) {
  const page = await it.open('#/settings');
  let seconds = 0;
  let feed;
  await page.routeWebSocket(/samples:watch/, (socket) => {
    feed = socket;
  });
  for (const [path, answer] of Object.entries(answers)) await page.route((url) => url.pathname === path, answer);
  // By a page of its own: this one knows the real figures.
  await page.goto('about:blank');
  await page.goto(`${it.url}#/`);
  await eventually('figures are watched', () => feed);
  const sample = (figures) => feed.send(JSON.stringify({ time: new Date(Date.UTC(2026, 0, 1, 0, 0, ++seconds)).toISOString(), length: '1s', ...figures }));
  return { page, sample };
}

const STORED = { entities: { cart: { kind: 'event sourced', events: '1' } } };
const eventRow = (page, entityId) => page.getByRole('grid', { name: 'Newest events' }).getByRole('row').filter({ hasText: `cart/${entityId}` });
const events = (...ids) => ({ json: { events: ids.map((entityId, i) => ({ persistenceId: 'cart', entityId, sequence: '1', position: String(i + 1) })) } });

test('newest events appear however slowly they are told and often there are some', async () => {
  const asked = [];
  const { page, sample } = await openFed({ '/v1/events': (route) => asked.push(route) });
  const next = () => eventually('events are asked for', () => asked.shift(), 10);
  const first = await next();
  sample(STORED);
  await page.getByRole('link', { name: /^Events .*1 in 5 min/ }).waitFor();
  await first.fulfill(events());
  const second = await next();
  sample(STORED);
  await page.getByRole('link', { name: /^Events .*2 in 5 min/ }).waitFor();
  await second.fulfill(events('early'));
  await eventRow(page, 'early').waitFor({ timeout: 10_000 });
  await (await next()).fulfill(events('early', 'late'));
  await eventRow(page, 'late').waitFor();
});

test('a first call that stored nothing stays checked off', async () => {
  const { page, sample } = await openFed({
    '/v1/status': async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), storedEvents: '0' } }),
  });
  await step(page, 'Make a first call').waitFor();
  await counts(done(page, 'Make a first call'), 0);
  sample({ calls: { calls: '1' } });
  await done(page, 'Make a first call').waitFor();
  await page.reload(); // and with it the figures are gone
  await done(page, 'Make a first call').waitFor();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('failed calls appear with their reason, and lead to their steps', async () => {
  const page = await it.open();
  const answer = await it.call(`${CART}/AddItem`, { userId: 'me', productId: 'p', quantity: -1 });
  assert.equal(answer.ok, false);
  const table = page.getByRole('grid', { name: 'Last failed calls' });
  const row = table.getByRole('row').filter({ hasText: 'the quantity must be positive' }).first();
  await row.getByText('UNKNOWN').waitFor();
  await row.getByRole('link', { name: 'AddItem me' }).click();
  await eventually('the call is shown', async () => (await routeOf(page)).startsWith(`#/calls/${answer.trace}`));
  await page.goBack();
  await page.getByRole('link', { name: 'All failed calls' }).click();
  await eventually('calls are filtered', async () => (await routeOf(page)) === '#/calls?failed=1');
});

test('rates of the last minutes are told, and lead to more', async () => {
  const page = await it.open();
  await it.fill(2, 5, 'rates-');
  const rates = page.getByRole('region', { name: 'The last 5 minutes' });
  await rates.getByRole('link', { name: /^Calls .*[1-9]\d* in 5 min/ }).waitFor();
  await rates.getByRole('link', { name: /^Events .*[1-9]\d* in 5 min/ }).waitFor();
  await rates.getByRole('link', { name: /^Duration [\d.]+ (µs|ms)/ }).waitFor();
  await rates.getByRole('link', { name: /^Calls/ }).click();
  await shown(page, 'Metrics');
});

test('what CRDTs write is not counted as stored', async () => {
  const chat = dashboard({ manual: true, run: ['--sample', 'chat'] });
  await chat.start();
  try {
    await chat.api('/v1/call', { body: { service: 'com.example.chat.Chat', method: 'Post', json: '{"room": "lobby", "author": "ann", "text": "hello"}' } });
    await eventually('it is in a figure', async () =>
      (await chat.api('/v1/samples')).samples.some(({ entities = {} }) => Object.values(entities).some(({ kind, events }) => kind === 'crdt' && Number(events) > 0)));
    const page = await chat.open();
    const rates = page.getByRole('region', { name: 'The last 5 minutes' });
    await rates.getByRole('link', { name: /^Calls .*1 in 5 min/ }).waitFor();
    await rates.getByRole('link', { name: /^Events 0\/s ?0 in 5 min/ }).waitFor();
    await chat.closePages();
  } finally {
    await chat.stop();
  }
});

test('services tell their methods and routes', async () => {
  const page = await it.open();
  await page.getByRole('heading', { level: 3, name: CART }).waitFor();
  await page.getByText('event sourced').waitFor();
  await page.getByText('POST /cart/{user_id}/items/add').waitFor();
  await page.getByRole('link', { name: 'Try AddItem' }).click();
  await eventually('the form is shown', async () => (await routeOf(page)).startsWith(`#/try/${CART}/AddItem`));
  await page.goBack();
  await page.getByRole('link', { name: 'shopping-cart', exact: true }).click();
  await eventually('its entities are shown', async () => (await routeOf(page)) === '#/entities?pid=shopping-cart');
  await page.goBack();
  await page.locator('summary').filter({ hasText: CART }).click();
  await page.getByRole('link', { name: 'Try AddItem' }).waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'Try it', exact: true }).last().click();
  await shown(page, 'Try it');
});

test('a user function that is rejected: why, and what to do next', async () => {
  const script = "require('cloudstate').EventSourced.prototype.entityType = () => 'shop.Unheard'; require('./index.js')";
  const rejected = dashboard({ manual: true, command: ['node', '-e', script], cwd: cart, ready: 'started' });
  await rejected.start();
  try {
    const page = await rejected.open();
    await page.getByRole('heading', { level: 2, name: 'is there, but cannot be served' }).waitFor();
    await page.getByText('has declared an unsupported entity type [shop.Unheard]').waitFor();
    await page.getByText('cloudstate-dev run --watch . -- node -e').waitFor();
    await page.getByText('cloudstate-dev tck -- node -e').waitFor();
    await counts(done(page, 'Have a user function'), 0);
    await rejected.closePages();
  } finally {
    await rejected.stop();
  }
});

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

test('without a user function the page tells how to have one, and goes on when it is there', async () => {
  const port = await freePort();
  const alone = dashboard({ manual: true, run: ['--user-function', `127.0.0.1:${port}`], ready: 'started' });
  let user;
  await alone.start();
  try {
    const page = await alone.open();
    await page.getByRole('heading', { level: 2, name: 'Waiting for a user function' }).waitFor();
    await page.getByText(`PORT=${port} node index.js`).waitFor();
    await page.getByText('cloudstate-dev run --sample shopping-cart').waitFor();
    await counts(done(page, 'Have a user function'), 0);
    await counts(page.getByRole('grid'), 0, 'nothing else on the page draws the eye');
    user = spawn('node', ['index.js'], { cwd: cart, env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) }, stdio: 'ignore' });
    await page.getByRole('heading', { level: 2, name: 'shopping-cart-node is ready' }).waitFor();
    await done(page, 'Have a user function').waitFor();
    await page.getByText('somebody else').waitFor();
    await alone.closePages();
  } finally {
    user?.kill();
    await alone.stop();
  }
});

test('who may only look is asked to change nothing', async () => {
  const locked = dashboard({ manual: true, sample: 'shopping-cart-node', run: ['--read-only'] });
  await locked.start();
  try {
    const page = await locked.open();
    await page.getByRole('main').getByText('read-only', { exact: true }).waitFor();
    await step(page, 'Make a first call').waitFor();
    await counts(step(page, 'Add a node'), 0);
    await locked.closePages();
  } finally {
    await locked.stop();
  }
});
