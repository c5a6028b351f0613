// The list of entities, and all that one entity's page does: time line, state, time travel, forks, export, deletion.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { CART, counts, dashboard, eventually } from './harness.js';

const it = dashboard({ sample: 'shopping-cart-node', env: { SNAPSHOT_EVERY: '10' } });
const values = dashboard({ run: ['--sample', 'value-shopping-cart'] });
// Parcels of the sample, but for Note, which stores three events.
const several = dashboard({
  command: ['node', '-e', `
    const { CloudState } = require('cloudstate');
    const parcels = require('./parcels');
    const { commandHandlers, eventHandlers } = parcels.behavior();
    const ParcelSent = parcels.lookupType('com.example.shipping.ParcelSent');
    const Note = ({ country, grams }, total, context) => {
      for (const more of [0, 1, 2]) context.emit(ParcelSent.create({ country, grams: grams + more }));
      return {};
    };
    parcels.setBehavior(() => ({ commandHandlers: { ...commandHandlers, Note }, eventHandlers }));
    new CloudState().addEntity(require('./shipping').shipping, parcels).start({ bindAddress: process.env.HOST, bindPort: Number(process.env.PORT) });
  `],
  cwd: fileURLToPath(new URL('../../../samples/functions-node', import.meta.url)),
});

const add = async (userId, productId, quantity = 1) => {
  const { ok, json } = await it.call(`${CART}/AddItem`, { userId, productId, name: `Product ${productId}`, quantity });
  assert.ok(ok, JSON.stringify(json));
};
const adds = async (userId, count) => {
  for (let i = 1; i <= count; ++i) await add(userId, 'p', i);
};
const entity = (id, query = '') => `#/entities/shopping-cart/${encodeURIComponent(id)}${query}`;
const stored = async (id) => Number((await it.api(`/v1/entities/shopping-cart/${encodeURIComponent(id)}`)).lastSequence);
const queryOf = async (page) => new URLSearchParams((await page.evaluate(() => location.hash)).split('?')[1] ?? '');
const addressed = (page, name, value) => eventually(`the address has ${name}=${value}`, async () => (await queryOf(page)).get(name) === value);
const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor();
const row = (page, table, ...texts) =>
  texts.reduce((rows, text) => rows.filter({ hasText: text }), page.getByRole('grid', { name: table }).getByRole('row'));
const panel = (page) => page.getByRole('tabpanel');
const tab = (page, name) => page.getByRole('tab', { name }).click();

test('without entities the list says how to make the first one, and that command does', async () => {
  const page = await it.open('#/entities');
  await page.getByRole('heading', { name: 'No entity has stored anything yet' }).waitFor();
  const line = await page.locator('.command code').first().innerText();
  assert.match(line, /^curl .*http:\/\/127\.0\.0\.1:\d+\/cart\/me\/items\/add/);
  execFileSync('sh', ['-c', `${line.replace(/^curl/, 'curl --fail --silent')} >&2`], { stdio: ['ignore', 'ignore', 'pipe'] });
  await page.getByText('1 event was stored since').waitFor();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('link', { name: 'me', exact: true }).waitFor();
  await counts(page.getByText('stored since'), 0);
});

test('the list has thousands of rows, and those that are far down when they are wanted', async () => {
  await it.fill(2_500, 1, 'many-');
  const page = await it.open('#/entities');
  const count = Number((await it.api('/v1/entities?page_size=1')).total).toLocaleString('en-US');
  await page.getByRole('heading', { level: 1, name: `Entities ${count}` }).waitFor();
  await page.getByRole('grid', { name: 'Entities' }).focus();
  await page.keyboard.press('End');
  await page.getByRole('link', { name: 'many-999', exact: true }).waitFor();
  assert.ok((await page.getByRole('row').count()) < 80, 'only rows that are seen are on the page');
  await page.keyboard.press('Home');
  await page.getByRole('link', { name: 'many-0', exact: true }).waitFor();
});

test('a search finds entities, stands in the address and can be taken back', async () => {
  const page = await it.open('#/entities');
  await page.getByRole('searchbox', { name: /Search entities/ }).fill('many-77');
  await page.getByRole('heading', { level: 1, name: 'Entities 11 found' }).waitFor();
  await addressed(page, 'q', 'many-77');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Entities 11 found' }).waitFor();
  await page.getByRole('combobox', { name: 'Service' }).selectOption({ label: 'ShoppingCart' });
  await addressed(page, 'service', CART);
  await page.getByRole('combobox', { name: 'Persisted as' }).selectOption('shopping-cart');
  await addressed(page, 'pid', 'shopping-cart');
  await page.getByRole('heading', { level: 1, name: 'Entities 11 found' }).waitFor();
  await page.getByRole('searchbox').fill('nobody');
  await page.getByRole('heading', { name: 'No entity fits' }).waitFor();
  await page.getByRole('button', { name: 'Show all entities' }).click();
  await page.getByRole('link', { name: 'many-0', exact: true }).waitFor();
  assert.equal((await queryOf(page)).toString(), '');
});

test('arrows and Enter open an entity', async () => {
  const page = await it.open('#/entities?q=many-77');
  await page.getByRole('link', { name: 'many-77', exact: true }).waitFor();
  await page.getByRole('grid', { name: 'Entities' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'shopping-cart/many-770' }).waitFor();
  assert.equal((await queryOf(page)).toString(), '');
});

test('an entity shows each event with its command, and the point stands in the address', async () => {
  await adds('alice', 25);
  const page = await it.open(entity('alice'));
  await heading(page, 'After event 25');
  await row(page, 'Events', 'ItemAdded', 'AddItem').first().waitFor();
  await panel(page).getByRole('region', { name: 'Event' }).getByText('quantity: 25').waitFor();
  await panel(page).getByRole('heading', { name: 'Stored by ShoppingCart.AddItem' }).waitFor();
  assert.match(await panel(page).getByRole('link', { name: /^Call/ }).getAttribute('href'), /^#\/calls\/[0-9a-f]+$/);
  await page.getByRole('grid', { name: 'Events' }).getByText('24', { exact: true }).click();
  await heading(page, 'After event 24');
  await addressed(page, 'at', '24');
  await panel(page).getByText('quantity: 24').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await heading(page, 'After event 23');
  await addressed(page, 'at', '23');
  await page.reload();
  await heading(page, 'After event 23');
  await panel(page).getByRole('button', { name: 'Raw bytes' }).first().click();
  await panel(page).getByLabel('Event: bytes').waitFor();
});

test('steps, a number and the slider move the point', async () => {
  const page = await it.open(entity('alice', '?at=20'));
  await heading(page, 'After event 20');
  await panel(page).getByRole('region', { name: 'Snapshot' }).getByText('quantity: 210').waitFor();
  await counts(page.getByRole('img', { name: 'Snapshot taken here' }), 2);
  await page.getByRole('button', { name: 'One event back' }).click();
  await heading(page, 'After event 19');
  await page.getByRole('button', { name: 'One event on' }).click();
  await heading(page, 'After event 20');
  const number = page.getByRole('textbox', { name: 'Number of the event' });
  await number.fill('7');
  await number.press('Enter');
  await heading(page, 'After event 7');
  const slider = page.getByRole('slider', { name: 'Point in the life of the entity' });
  await slider.focus();
  await slider.press('ArrowRight');
  await heading(page, 'After event 8');
  await slider.press('Home');
  await heading(page, 'Before the first event');
  await addressed(page, 'at', '0');
  await number.fill('9999');
  await number.press('Enter');
  await heading(page, 'After event 25');
});

test('links lead to calls of the entity and to a form for it', async () => {
  const page = await it.open(entity('alice'));
  await heading(page, 'After event 25');
  const head = page.locator('.page-actions');
  assert.equal(await head.getByRole('link', { name: 'Calls' }).getAttribute('href'), '#/calls?entity=alice');
  assert.equal(await head.getByRole('link', { name: 'Try it' }).getAttribute('href'), `#/try/${CART}/AddItem?entity=alice`);
});

test('new events come on top of those who look there, and wait for those who do not', async () => {
  await adds('live', 100);
  const page = await it.open(entity('live'));
  await heading(page, 'After event 100');
  await add('live', 'fresh');
  await heading(page, 'After event 101');
  await row(page, 'Events', '101').first().waitFor();
  const grid = page.getByRole('grid', { name: 'Events' });
  await grid.focus();
  await page.keyboard.press('End');
  await heading(page, 'After event 1');
  await add('live', 'fresh');
  await add('live', 'fresh');
  await page.getByRole('button', { name: '2 new' }).click();
  await heading(page, 'After event 103');
  await row(page, 'Events', '103').first().waitFor();
  await page.getByText('newest first, follows along').waitFor();
});

test('of 100 and more events any can be gone to at once', async () => {
  await adds('long', 450);
  const page = await it.open(entity('long', '?at=33'));
  await heading(page, 'After event 33');
  await row(page, 'Events', '33').first().waitFor();
  await panel(page).getByText('quantity: 33', { exact: true }).first().waitFor();
  await page.getByRole('grid', { name: 'Events' }).focus();
  await page.keyboard.press('Home');
  await heading(page, 'After event 450');
  await panel(page).getByText('quantity: 450', { exact: true }).first().waitFor();
});

test('the state shows the snapshots around a point, and what differs between them', async () => {
  const page = await it.open(entity('alice', '?at=23&view=state'));
  await panel(page).getByText('The newest up to here is 3 events old.').waitFor();
  await heading(page, 'From snapshot 10 to 20');
  const difference = panel(page).getByRole('group', { name: 'What differs between the snapshots' });
  await difference.getByText('"quantity": 55').waitFor();
  await difference.getByText('"quantity": 210').waitFor();
  await panel(page).getByRole('button', { name: 'Go to 10' }).click();
  await heading(page, 'Up to the first snapshot, 10');
  await page.getByRole('textbox', { name: 'Number of the event' }).fill('4');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No snapshot up to this point' }).waitFor();
  await panel(page).getByRole('button', { name: 'Ask the user function by time travel' }).click();
  await addressed(page, 'view', 'travel');
});

test('time travel asks the user function after an event, goes on with each step, and compares', async () => {
  const page = await it.open(entity('alice', '?at=3'));
  await tab(page, 'Time travel');
  assert.equal(await panel(page).getByRole('combobox', { name: 'Method' }).inputValue(), 'GetCart');
  assert.deepEqual(JSON.parse(await panel(page).getByRole('textbox', { name: /Input/ }).inputValue()), { userId: 'alice' });
  await panel(page).getByRole('button', { name: 'Run after event 3' }).click();
  const answer = (n) => panel(page).getByRole('region', { name: `Reply after event ${n}` });
  await answer(3).getByText('quantity: 6', { exact: true }).waitFor();
  await answer(3).getByText('began from 3 events').waitFor();
  await page.getByRole('button', { name: 'One event on' }).click();
  await answer(4).getByText('quantity: 10', { exact: true }).waitFor();
  const number = page.getByRole('textbox', { name: 'Number of the event' });
  await number.fill('23');
  await number.press('Enter');
  await answer(23).getByText('quantity: 276', { exact: true }).waitFor();
  await answer(23).getByText('began from snapshot 20 and 3 events').waitFor();
  await panel(page).getByRole('checkbox', { name: 'From the first event' }).check();
  await answer(23).getByText('began from 23 events').waitFor();
  await panel(page).getByRole('checkbox', { name: 'Compare' }).check();
  await panel(page).getByRole('spinbutton').fill('2');
  await answer(22).waitFor(); // what is being typed stays meanwhile
  await panel(page).getByRole('spinbutton').blur();
  await answer(2).getByText('quantity: 3', { exact: true }).waitFor();
  const difference = panel(page).getByRole('group', { name: 'Replies after event 2 and 23' });
  await difference.getByText('"quantity": 3', { exact: false }).first().waitFor();
  await difference.getByText('"quantity": 276').waitFor();
  const query = await queryOf(page);
  assert.deepEqual([query.get('at'), query.get('method'), query.get('compare'), query.get('view')], ['23', 'GetCart', '2', 'travel']);
  await panel(page).getByRole('button', { name: 'Swap' }).click();
  await page.getByRole('heading', { level: 2, name: 'After event 2', exact: true }).waitFor();
  assert.equal(await stored('alice'), 25);
});

test('time travel runs nothing because of an address alone', async () => {
  const page = await it.open(entity('alice', '?at=5&view=travel&method=AddItem'));
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/cloudstate.dev.v1.Replays/Replay') && asked.push(request));
  await panel(page).getByRole('button', { name: 'Run after event 5' }).waitFor();
  assert.equal(await panel(page).getByRole('combobox', { name: 'Method' }).inputValue(), 'AddItem');
  await page.getByRole('button', { name: 'One event on' }).click();
  await panel(page).getByRole('button', { name: 'Run after event 6' }).click();
  await panel(page).getByText('would store 1 event').waitFor();
  assert.equal(asked.length, 1);
  assert.equal(await stored('alice'), 25);
});

test('time travel tells of input that is no JSON, and of failures', async () => {
  const page = await it.open(entity('alice', '?at=5&view=travel&method=RemoveItem'));
  const input = panel(page).getByRole('textbox', { name: /Input/ });
  await input.fill('{');
  await panel(page).getByText('This is no JSON').waitFor();
  assert.ok(await panel(page).getByRole('button', { name: 'Run after event 5' }).isDisabled());
  await input.fill('{"userId": "alice", "productId": "none"}');
  await input.press('Control+Enter');
  await panel(page).getByText('Cannot remove none: it is not in the cart.').waitFor();
  await input.fill('{"nonsense": 1}');
  it.allow(page, /400/);
  await input.press('Control+Enter');
  await panel(page).getByRole('alert').filter({ hasText: 'nonsense' }).waitFor();
});

test('the input can be emptied and typed anew, in time travel and in a fork', async () => {
  await add('typed', 'x');
  for (const view of ['travel', 'fork']) {
    const page = await it.open(entity('typed', `?at=1&view=${view}&method=GetCart`));
    const input = page.getByRole('textbox', { name: /Input/ });
    const text = '{"userId": "typed"}';
    await input.fill('{');
    await addressed(page, 'input', '{');
    await input.fill('');
    await addressed(page, 'input', null);
    assert.equal(await input.inputValue(), '');
    await input.pressSequentially(text);
    await addressed(page, 'input', text);
    assert.equal(await input.inputValue(), text);
    await page.getByRole('combobox', { name: 'Method' }).selectOption('AddItem');
    await eventually('it is the example of the other method', async () => (await input.inputValue()).includes('productId'));
    await addressed(page, 'input', null);
  }
});

test('time travel can be run again when its input changes before there is an answer', async () => {
  await add('again', 'x', 4);
  const page = await it.open(entity('again', '?at=1&view=travel&method=GetCart'));
  const run = panel(page).getByRole('button', { name: 'Run after event 1' });
  let answer = (route) => void route; // never
  await page.route('**/cloudstate.dev.v1.Replays/Replay', (route) => answer(route));
  await run.click();
  await eventually('it runs', () => run.isDisabled());
  await panel(page).getByRole('textbox', { name: /Input/ }).fill('{"userId": "again" }');
  await eventually('it can be run', () => run.isEnabled());
  answer = (route) => route.continue();
  await run.click();
  await panel(page).getByRole('region', { name: 'Reply after event 1' }).getByText('quantity: 4', { exact: true }).waitFor();
});

test('a fork keeps its own events, survives a reload, is exported and reset, and stores nothing', async () => {
  const page = await it.open(entity('alice', '?at=2'));
  await page.getByRole('link', { name: 'Fork from here' }).click();
  await page.getByRole('heading', { level: 1, name: 'Fork of shopping-cart/alice' }).waitFor();
  await page.getByText('Nothing is stored').waitFor();
  await page.getByRole('heading', { name: 'No event of its own yet' }).waitFor();
  const input = page.getByRole('textbox', { name: /Input/ });
  const run = page.getByRole('button', { name: 'Run in the fork' });
  await input.fill('{"userId": "alice", "productId": "x", "name": "X", "quantity": 7}');
  await run.click();
  await row(page, 'Events of the fork', '3′', 'ItemAdded').waitFor();
  await run.click();
  await row(page, 'Events of the fork', '4′', '2. AddItem').waitFor();
  await page.getByRole('combobox', { name: 'Method' }).selectOption('GetCart');
  await run.click();
  const steps = page.getByRole('list', { name: 'Commands of the fork' });
  await steps.getByText('quantity: 14', { exact: true }).waitFor();
  await steps.getByText('quantity: 3', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('3 commands so far').waitFor();
  await row(page, 'Events of the fork', '3′').click();
  await addressed(page, 'event', '3');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'shopping-cart_alice_fork-2.json');
  const exported = JSON.parse(readFileSync(await file.path(), 'utf8'));
  assert.deepEqual([exported.point, exported.steps.map(({ method }) => method)], [2, ['AddItem', 'AddItem', 'GetCart']]);
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.getByRole('heading', { name: 'No event of its own yet' }).waitFor();
  await page.getByRole('link', { name: 'To the entity' }).click();
  await heading(page, 'After event 2');
  assert.equal(await stored('alice'), 25);
});

test('a fork that another tab has begins anew', async () => {
  const page = await it.open(entity('alice', '?at=5&view=fork&fork=0123456789'));
  await page.getByText('This tab does not have that fork: it begins anew.').waitFor();
  await page.getByText('Begins after event 5').waitFor();
});

test('all events and snapshots are exported, one JSON object a line', async () => {
  const page = await it.open(entity('alice'));
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'shopping-cart_alice.ndjson');
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines[0].entity.entityId, 'alice');
  assert.deepEqual(lines.filter(({ event }) => event).map(({ event }) => Number(event.sequence)), Array.from({ length: 25 }, (_, i) => i + 1));
  assert.deepEqual(lines.filter(({ snapshot }) => snapshot).map(({ snapshot }) => snapshot.sequence), ['10', '20']);
  await page.getByText('Saved 25 events as shopping-cart_alice.ndjson').waitFor();
});

test('an export that takes long can be cancelled, and one that fails tried again', async () => {
  const page = await it.open(entity('alice'), { allow: [/503/] });
  await heading(page, 'After event 25');
  let answer = (route) => void route; // never
  await page.route('**/cloudstate.dev.v1.Emulator/ListEvents', (route) => (route.request().postDataJSON().limit === 25 ? answer(route) : route.continue()));
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('progressbar').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  answer = (route) => route.fulfill({ status: 503, body: 'later' });
  await page.getByRole('button', { name: 'Export' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'later' }).waitFor();
  answer = (route) => route.continue();
  const download = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await download;
});

test('deletion wants the id, removes everything, and goes back to the list', async () => {
  await adds('gone', 3);
  const page = await it.open(entity('gone'));
  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete this entity' });
  const confirm = dialog.getByRole('button', { name: 'Delete' });
  assert.ok(await confirm.isDisabled());
  await dialog.getByRole('textbox').fill('gon');
  assert.ok(await confirm.isDisabled());
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await stored('gone'), 3);
  await page.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByRole('textbox').fill('gone');
  await confirm.click();
  await page.getByText('Deleted shopping-cart/gone: 3 events and 0 snapshots.').waitFor();
  await page.getByRole('heading', { level: 1, name: /^Entities/ }).waitFor();
  await assert.rejects(stored('gone'), { status: 404 });
  const { json } = await it.call(`${CART}/GetCart`, { userId: 'gone' });
  assert.deepEqual(json.items ?? [], []);
});

test('a key without anything stored says so, and how to store something', async () => {
  const page = await it.open(entity('nobody'), { allow: [/404/] });
  await page.getByRole('heading', { name: 'Nothing is stored under this key' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Call AddItem' }).getAttribute('href'), `#/try/${CART}/AddItem?entity=nobody`);
});

test('any id works, also one that looks like a page or an address', async () => {
  const id = 'a/b?c=<img src=x onerror="window.hit=1">%2F ü&#39;';
  await add(id, 'x');
  const page = await it.open('#/entities?q=onerror');
  await page.getByRole('link', { name: id, exact: true }).click();
  await heading(page, 'After event 1');
  await page.getByRole('heading', { level: 1, name: `shopping-cart/${id}` }).waitFor();
  assert.equal(await page.evaluate(() => window.hit), undefined);
});

for (const id of ['.', '..', 'a/b?c#d', '']) {
  test(`an entity with the id "${id}" is opened, travelled in, exported and deleted`, async () => {
    await add(id, 'x');
    // Its page may ask for it once more when it is deleted.
    const page = await it.open(entity(id), { allow: [/404/] });
    await page.getByRole('heading', { level: 1, name: `shopping-cart/${id}`, exact: true }).waitFor();
    await heading(page, 'After event 1');
    await row(page, 'Events', 'ItemAdded').waitFor();
    await tab(page, 'Time travel');
    await panel(page).getByRole('button', { name: 'Run after event 1' }).click();
    await panel(page).getByText('quantity: 1', { exact: true }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(lines[1].event.entityId ?? '', id);
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete this entity' });
    await dialog.getByRole('textbox').fill(id === '' ? 'delete' : id);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText(`Deleted shopping-cart/${id}: 1 event and 0 snapshots.`).waitFor();
  });
}

test('what is to be typed for a deletion is shown as it is, with all its spaces', async () => {
  const id = ' two  spaces ';
  await add(id, 'x');
  const page = await it.open(entity(id), { allow: [/404/] });
  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete this entity' });
  await dialog.getByRole('textbox').fill(await dialog.locator('label code').innerText());
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('1 event and 0 snapshots.').waitFor();
});

test('the way back leads to the row where somebody was in the list', async () => {
  const page = await it.open('#/entities?q=many-');
  const grid = page.getByRole('grid', { name: 'Entities' });
  const first = page.getByRole('link', { name: 'many-0', exact: true });
  await first.waitFor();
  await grid.evaluate((element) => { element.scrollTop = 60_000; });
  await first.waitFor({ state: 'detached' });
  // The first row is one of those that were fetched for this place.
  const row = grid.getByRole('row').nth(15).getByRole('link');
  const name = await row.innerText();
  await row.click();
  await page.getByRole('heading', { level: 1, name: `shopping-cart/${name}`, exact: true }).waitFor();
  await page.goBack();
  await grid.locator('[aria-selected=true]').getByText(name, { exact: true }).waitFor();
  assert.equal(await grid.evaluate(({ scrollTop }) => scrollTop), 60_000);
  await grid.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: `shopping-cart/${name}`, exact: true }).waitFor();
});

test('calls that stored nothing are told of above the time line', async () => {
  await add('quiet', 'x');
  const page = await it.open(entity('quiet'));
  await heading(page, 'After event 1');
  await it.call(`${CART}/AddItem`, { userId: 'quiet', productId: 'x', name: 'X', quantity: -1 });
  await page.getByText('1 of the newest 2 calls failed and stored nothing. Show failed calls').waitFor();
  await it.call(`${CART}/GetCart`, { userId: 'quiet' });
  await page.getByText('2 of the newest 3 calls stored nothing, 1 of them failed.').waitFor();
  await page.getByRole('link', { name: 'Show calls' }).click();
  await page.getByRole('heading', { level: 1, name: 'Calls' }).waitFor();
  await row(page, 'Calls', 'AddItem').nth(1).waitFor();
});

test('a fork is kept once something was run in it, and cannot be reset meanwhile', async () => {
  const page = await it.open(entity('alice', '?at=2&view=fork'));
  const kept = () => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('cloudstate-dev.fork.')).length);
  const run = page.getByRole('button', { name: 'Run in the fork' });
  const reset = page.getByRole('button', { name: 'Reset' });
  await page.getByText('0 commands so far').waitFor();
  assert.equal(await kept(), 0);
  await run.click();
  await page.getByText('1 command so far').waitFor();
  assert.equal(await kept(), 1);
  let go;
  await page.route('**/cloudstate.dev.v1.Replays/Replay', (route) => { go = () => route.continue(); });
  await run.click();
  await eventually('Reset is off', () => reset.isDisabled());
  await eventually('the command is on its way', () => go);
  go();
  await page.getByText('2 commands so far').waitFor();
  await reset.click();
  await page.getByText('0 commands so far').waitFor();
});

test('a value entity has its value at each point, and what differs from any other', async () => {
  const value = 'com.example.valueentity.shoppingcart.ShoppingCart';
  for (const [name, quantity] of [['one', 1], ['two', 2]]) await values.call(`${value}/AddItem`, { userId: 'me', productId: name, name, quantity });
  await values.call(`${value}/RemoveCart`, { userId: 'me' });
  const page = await values.open('#/entities/value-shopping-cart/me?at=2&view=state');
  const difference = (n) => panel(page).getByRole('group', { name: `What differs between event ${n} and` });
  await difference(1).getByText('"quantity": 2').waitFor();
  await panel(page).getByRole('heading', { name: 'Value after event 2' }).waitFor();
  const other = panel(page).getByRole('textbox', { name: 'compared with event' });
  await other.fill('0');
  await other.press('Enter');
  await addressed(page, 'with', '0');
  await difference(0).getByText('"quantity": 1').waitFor();
  await panel(page).getByRole('button', { name: 'The one before' }).click();
  await difference(1).waitFor();
  await page.getByRole('button', { name: 'One event on' }).click();
  await panel(page).getByText('None: it was deleted.').waitFor();
  await row(page, 'Events', 'deleted', 'RemoveCart').waitFor();
  // What is being typed stays while events come in.
  const following = await values.open('#/entities/value-shopping-cart/me?view=state');
  await heading(following, 'After event 3');
  const typed = panel(following).getByRole('textbox', { name: 'compared with event' });
  await typed.fill('1');
  await values.call(`${value}/AddItem`, { userId: 'me', productId: 'new', name: 'new', quantity: 1 });
  await heading(following, 'After event 4');
  await panel(following).getByRole('group', { name: 'What differs between event 3 and 4' }).waitFor();
  assert.equal(await typed.inputValue(), '1');
  await following.keyboard.press('Enter');
  await addressed(following, 'with', '1');
});

test('events of one command are joined, and what a replay would have passed on is not carried out', async () => {
  const call = (method, grams) => several.call(`com.example.shipping.Parcels/${method}`, { sender: 'me', country: 'at', grams });
  assert.ok((await call('Note', 10)).ok);
  assert.ok((await call('Note', 20)).ok);
  const page = await several.open('#/entities/parcels/me');
  await heading(page, 'After event 6');
  for (const [name, count] of [['The last of the events that one command stored', 2], ['Of the same command', 2], ['The first of its command', 2]]) {
    await eventually(`${count} × ${name}`, async () => (await page.getByRole('img', { name, exact: true }).count()) === count);
  }
  await page.getByRole('link', { name: 'Fork from here' }).click();
  const input = page.getByRole('textbox', { name: /Input/ });
  await page.getByRole('combobox', { name: 'Method' }).selectOption('Send');
  await input.fill('{"sender": "me", "country": "at", "grams": 5}');
  await page.getByRole('button', { name: 'Run in the fork' }).click();
  await page.getByRole('heading', { name: 'Forwarded to Shipping.Quote' }).waitFor();
  await page.getByRole('heading', { name: 'Synchronous effect on Parcels.Note' }).waitFor();
  await counts(page.getByText('not carried out'), 3); // with the note at the top
  assert.equal((await several.api('/v1/entities')).total, '1');
});

test('what changes something or calls the user function is off with --read-only', async () => {
  const page = await it.open(entity('alice', '?view=travel'));
  await page.route('**/v1/status', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), readOnly: true } });
  });
  await panel(page).getByText('The emulator runs with --read-only').waitFor();
  assert.ok(await panel(page).getByRole('button', { name: /^Run/ }).isDisabled());
  const button = page.getByRole('button', { name: 'Delete' });
  await eventually('Delete is off', () => button.isDisabled());
  assert.equal(await button.getAttribute('title'), 'The emulator runs with --read-only.');
});
