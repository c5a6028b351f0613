// Calls: the live tail with its filters, and one call step by step.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressed, counts, dashboard, eventually } from './harness.js';

const PARCELS = 'com.example.shipping.Parcels';
const SHIPPING = 'com.example.shipping.Shipping';

const it = dashboard({ sample: 'functions-node', nodes: 3 });

const send = (sender, country = 'at') => it.call(`${PARCELS}/Send`, { sender, country, grams: 100 });
const quote = (country) => it.call(`${SHIPPING}/Quote`, { country, grams: 10 });
const track = (between) => it.api('/v1/call', { body: { service: SHIPPING, method: 'Track', json: `{"country": "at", "millisecondsBetween": ${between}}` } });
const table = (page) => page.getByRole('grid', { name: 'Calls' });
const rows = (page, name) => table(page).getByRole('row', { name });
const panel = (page) => page.getByRole('complementary', { name: 'The chosen call' });
const query = (page) => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const has = (page, key, value) => eventually(`${key}=${value} in the address`, () => query(page).get(key) === value);

test('calls appear as they end, newest first, and those of before are there', async () => {
  await send('before');
  const page = await it.open('#/calls');
  await rows(page, /Parcels\.Send \+2.*before.*OK/).waitFor();
  await quote('it');
  await rows(page, /Shipping\.Quote.*http.*OK/).waitFor();
  assert.match(await table(page).getByRole('row').nth(1).innerText(), /Quote/);
});

test('a stream is seen while it is open, with what has come so far', async () => {
  const gone = new AbortController();
  const { clientAddress } = (await it.api('/v1/nodes')).nodes[0];
  const answer = await fetch(`http://${clientAddress}/${SHIPPING}/Track`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"country": "it", "millisecondsBetween": 60000}', signal: gone.signal,
  });
  assert.ok(answer.ok);
  const page = await it.open('#/calls');
  const open = page.getByRole('region', { name: 'Calls under way' });
  await open.getByText(/^for \d+/).waitFor();
  await open.getByRole('button', { name: 'Shipping.Track' }).click();
  await panel(page).getByText('under way').waitFor();
  await panel(page).getByText('So far').waitFor();
  await panel(page).getByRole('row', { name: /received/ }).waitFor();
  await counts(rows(page, /Track/), 0, 'it has not ended');
  gone.abort();
  await answer.text().catch(() => {});
  await panel(page).getByText('under way').waitFor({ state: 'detached' });
  await open.waitFor({ state: 'detached' });
  await rows(page, /Track.*CANCELLED/).waitFor();
});

test('a failure stands out by its code and its text', async () => {
  const page = await it.open('#/calls');
  await quote('atlantis');
  await rows(page, /Shipping\.Quote.*UNKNOWN.* No parcels are sent to atlantis/).waitFor();
});

test('the address filters: service, method, entity, failures, slow ones', async () => {
  await Promise.all([send('ann'), send('bob'), quote('nowhere'), track(600)]);
  const only = async (route, wanted, other) => {
    const page = await it.open(route);
    await rows(page, wanted).first().waitFor();
    await counts(rows(page, other), 0, route);
    return page;
  };
  await only(`#/calls?service=${SHIPPING}&method=Track`, /Track/, /Parcels\.Send|nowhere/);
  await only('#/calls?entity=ann', /Send.*ann/, /bob/);
  await only('#/calls?failed=1', /nowhere/, /OK/);
  const page = await only('#/calls?slower=1s', /Track/, /Shipping\.Quote/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await rows(page, /Quote/).first().waitFor();
  assert.equal(query(page).get('slower'), null);
});

test('the filters change the address', async () => {
  await send('carl');
  const page = await it.open('#/calls');
  await page.getByRole('combobox', { name: 'Service' }).selectOption('Parcels');
  await has(page, 'service', PARCELS);
  await page.getByRole('combobox', { name: 'Method' }).selectOption('Send');
  await has(page, 'method', 'Send');
  await page.getByRole('searchbox', { name: 'Entity id' }).fill('carl');
  await has(page, 'entity', 'carl');
  await page.getByRole('button', { name: 'Failed only' }).click();
  await has(page, 'failed', '1');
  await page.getByText('No call fits so far').waitFor();
  await page.getByRole('button', { name: 'Failed only' }).click();
  const slower = page.getByRole('combobox', { name: 'Slower than' });
  await slower.fill('quickly');
  await slower.press('Enter');
  await page.getByRole('alert').getByText('such as 50ms').waitFor();
  await slower.fill('0.01ms');
  await slower.press('Enter');
  await has(page, 'slower', '0.01ms');
  await rows(page, /Send.*carl/).first().waitFor();
});

test('it pauses and goes on', async () => {
  const page = await it.open('#/calls');
  await quote('at');
  await rows(page, /Quote/).first().waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await has(page, 'paused', '1');
  await send('while-paused');
  await page.getByText(/Paused: \d+ more since/).waitFor();
  await counts(rows(page, /while-paused/), 0);
  await page.getByRole('button', { name: 'Go on' }).click();
  await rows(page, /while-paused/).first().waitFor();
});

test('scrolling down pauses, going on returns to the top', async () => {
  for (let i = 0; i < 60; ++i) await quote('fr');
  const page = await it.open('#/calls');
  await rows(page, /Quote/).first().waitFor();
  await table(page).evaluate((element) => element.scrollTo(0, 400));
  await page.getByText('Paused').waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await eventually('the top', () => table(page).evaluate((element) => element.scrollTop === 0));
});

test('a click opens a call beside the list, arrows go on, Escape closes', async () => {
  const { trace } = await send('dora');
  const { trace: second } = await quote('at');
  const page = await it.open('#/calls');
  await rows(page, /Send.*dora/).first().click();
  await panel(page).getByRole('heading', { name: 'Parcels.Send' }).waitFor();
  await has(page, 'call', trace);
  await has(page, 'paused', '1');
  await table(page).focus();
  await page.keyboard.press('ArrowUp');
  await has(page, 'call', second);
  await panel(page).getByRole('heading', { name: 'Shipping.Quote' }).waitFor();
  await page.keyboard.press('Escape');
  await panel(page).waitFor({ state: 'detached' });
  assert.equal(query(page).get('call'), null);
});

test('Enter opens the call by itself', async () => {
  const { trace } = await send('emma');
  const page = await it.open('#/calls?entity=emma');
  await rows(page, /emma/).first().waitFor();
  await table(page).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /Parcels\.Send/ }).waitFor();
  await addressed(page, new RegExp(`#/calls/${trace}$`));
});

test('a call tells what it set off, what was stored and every step', async () => {
  const { trace } = await send('fred');
  const page = await it.open(`#/calls/${trace}`);
  const commands = page.getByRole('list', { name: 'Commands of this call' });
  await commands.getByRole('button', { name: /Parcels\.Send.*fred/ }).waitFor();
  await commands.getByRole('button', { name: /side effect.*Parcels\.Note.*everybody/ }).waitFor();
  await commands.getByRole('button', { name: /forward.*Shipping\.Quote/ }).waitFor();
  const stored = page.getByRole('region', { name: 'What it stored' });
  assert.match(await stored.getByRole('link', { name: 'fred' }).getAttribute('href'), /^#\/entities\/parcels\/fred\?at=1$/);
  await stored.getByRole('link', { name: 'everybody' }).waitFor();
  const steps = page.getByRole('table', { name: 'Steps' });
  await steps.getByRole('row', { name: /forwarded.*Quote/ }).waitFor();

  await commands.getByRole('button', { name: /Parcels\.Note/ }).click();
  await steps.getByRole('row', { name: /forwarded/ }).waitFor({ state: 'detached' });
  await counts(steps.getByRole('row', { name: /effect/ }), 1);
  await page.reload();
  await page.getByRole('heading', { name: 'Steps of one command' }).waitFor();
  await counts(steps.getByRole('row', { name: /forwarded/ }), 0);
  await page.getByRole('button', { name: 'Show all' }).click();
  await steps.getByRole('row', { name: /forwarded/ }).waitFor();
});

test('payloads fold out as JSON and as bytes', async () => {
  const { trace } = await send('gina');
  const page = await it.open(`#/calls/${trace}`);
  const steps = page.getByRole('table', { name: 'Steps' });
  await steps.getByRole('button', { name: /SendParcel/ }).first().click();
  const message = steps.getByRole('group', { name: /^Message/ });
  await message.getByText('"gina"').waitFor();
  await steps.getByRole('button', { name: 'Raw bytes' }).click();
  await steps.getByText(/67 69 6e 61/).waitFor();
  await steps.getByRole('button', { name: /SendParcel/ }).first().click();
  await counts(steps.getByText(/67 69 6e 61/), 0);
});

test('a failed call says in words what happened', async () => {
  const { trace } = await quote('mars');
  const page = await it.open(`#/calls/${trace}`);
  const note = page.getByRole('note');
  await note.getByText('No parcels are sent to mars.').waitFor();
  await note.getByText(/The user function answered with a failure/).waitFor();
});

test('the command that shows the same can be copied', async () => {
  const { trace } = await quote('at');
  const page = await it.open(`#/calls/${trace}`);
  await page.getByRole('button', { name: 'Copy this command' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `cloudstate-dev calls show ${trace} --admin ${it.emulator.admin}`);
});

test('"Call again" brings the input to Try it', async () => {
  const { trace } = await send('hugo', 'fr');
  const page = await it.open(`#/calls/${trace}`);
  await page.getByRole('link', { name: 'Call again' }).click();
  await page.getByRole('heading', { level: 1, name: 'Try it' }).waitFor();
  await eventually('the call’s input', async () => (await page.getByRole('textbox', { name: 'sender' }).inputValue()) === 'hugo');
  assert.equal(await page.getByRole('textbox', { name: 'country' }).inputValue(), 'fr');
});

test('"Call again" leaves alone what was typed before the input came, and other pages', async () => {
  const { trace } = await send('late');
  const page = await it.open('#/calls');
  const routes = [];
  const held = (nth) => eventually('the input is asked for', () => routes[nth]);
  await page.route(`**/v1/commands/${trace}`, (route) => void routes.push(route));
  await page.goto(`${it.url}#/try/${PARCELS}/Send?call=${trace}`);
  await page.getByRole('textbox', { name: 'sender' }).fill('typed');
  await (await held(0)).continue();
  await eventually('the call is taken out of the address', () => query(page).get('call') === null);
  assert.equal(await page.getByRole('textbox', { name: 'sender' }).inputValue(), 'typed');

  await page.goto(`${it.url}#/try/${PARCELS}/Send?call=${trace}`);
  const asked = await held(1);
  await page.goto(`${it.url}#/calls?call=${trace}`);
  await asked.continue().catch(() => {}); // given up by the page already
  await (await held(2)).continue();
  await panel(page).getByRole('heading', { name: 'Parcels.Send' }).waitFor();
  assert.equal(query(page).get('call'), trace);
  await page.goto(`${it.url}#/try/${PARCELS}/Send`);
  assert.equal(await page.getByRole('textbox', { name: 'sender' }).inputValue(), 'typed');
});

test('where there is little room the status stays, and the method keeps its name', async () => {
  await quote('atlantis');
  for (const width of [700, 420]) {
    const page = await it.open('#/calls?failed=1', { width });
    const row = rows(page, /Quote.*UNKNOWN/).first();
    await row.waitFor();
    const name = row.locator('.calls-method');
    const [method, status, frame] = await Promise.all([name, row.getByText('UNKNOWN'), table(page)].map((each) => each.boundingBox()));
    assert.ok(status.x + status.width <= frame.x + frame.width, `the status ends at ${status.x + status.width} of ${width}`);
    const cell = await row.getByRole('gridcell').filter({ hasText: 'Quote' }).boundingBox();
    assert.ok(method.x + method.width <= cell.x + cell.width, 'the method is not cut off');
    assert.equal(await row.getByText('Shipping.', { exact: true }).isVisible(), false);
  }
});

test('without a user function the page tells how to have one', async () => {
  const alone = dashboard({ manual: true, run: ['--user-function', '127.0.0.1:1'], ready: 'started' });
  await alone.start();
  try {
    const page = await alone.open('#/calls');
    await page.getByText('No calls yet').waitFor();
    await page.getByText('PORT=1 node index.js').waitFor();
    await page.getByText('cloudstate-dev run -- node index.js').waitFor();
    await alone.closePages();
  } finally {
    await alone.stop();
  }
});

test('a call that is not kept says so', async () => {
  const page = await it.open('#/calls/00000000deadbeef', { allow: [/404/] });
  await page.getByText('This call is no longer kept').waitFor();
  await page.getByRole('link', { name: 'The newest calls' }).click();
  await table(page).waitFor();
});

test('what more there was than is shown is told', async () => {
  // A page that asks for less: not every machine that runs this makes more calls than people can read.
  const init = () => {
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {
      constructor(address) {
        super(String(address).replace('most_per_second=200', 'most_per_second=20'));
      }
    };
  };
  const page = await it.open('#/calls', { init });
  await quote('at');
  await rows(page, /Quote/).first().waitFor();
  let loaded = true;
  const load = Promise.all(Array.from({ length: 24 }, async () => {
    while (loaded) await quote('at');
  }));
  try {
    await page.getByText(/^1 of \d[\d.,]* shown: so many a second$/).waitFor();
    await eventually('a rate in the head', async () => /[1-9]\d*(\.\d)?\/s\s+calls/.test(await page.locator('.calls-figures').innerText()));
  } finally {
    loaded = false;
    await load;
  }
});
