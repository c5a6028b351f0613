// Try it: forms, calls of every shape, and the same call for a terminal.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { binary, dashboard, eventually } from './harness.js';

const PARCELS = 'com.example.shipping.Parcels';
const SHIPPING = 'com.example.shipping.Shipping';

const it = dashboard({ sample: 'functions-node', nodes: 3 });
const readOnly = dashboard({ run: ['--sample', 'counters', '--read-only'] });

const open = (method, query = '') => it.open(`#/try/${method}${query}`);
const field = (page, name) => page.getByRole('textbox', { name, exact: true });
const button = (page, name) => page.getByRole('button', { name, exact: true });
const answer = (page) => page.getByRole('region', { name: 'Answer' });
const messages = (page) => answer(page).getByRole('list', { name: 'Messages' }).getByRole('listitem');
const asJson = (page) => page.getByRole('textbox', { name: 'Input as JSON' });
const outcome = (page, code) => answer(page).getByRole('status').getByText(code).waitFor();

async function jsonOf(page) {
  await page.getByRole('tab', { name: 'JSON' }).click();
  const json = JSON.parse(await asJson(page).inputValue());
  await page.getByRole('tab', { name: 'Form' }).click();
  return json;
}

async function copied(page, name) {
  await page.getByRole('region', { name: 'Copy as' }).getByRole('button', { name, exact: true }).click();
  await page.getByText('Copied').first().waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

test('the methods stand in a tree, with kind, shape and route', async () => {
  const page = await it.open('#/try');
  const tree = page.getByRole('navigation', { name: 'Methods' });
  await tree.getByRole('heading', { name: 'Parcels event sourced' }).waitFor();
  await tree.getByRole('link', { name: /QuoteEach stream in, stream out GET \/shipping\/quotes/ }).waitFor();
  await tree.getByRole('searchbox', { name: 'Find a method' }).fill('track');
  await tree.getByRole('link', { name: /QuoteEach/ }).waitFor({ state: 'detached' });
  await tree.getByRole('link', { name: /Track/ }).click();
  await page.getByRole('heading', { name: /Shipping\.Track/ }).waitFor();
  assert.match(page.url(), new RegExp(`#/try/${SHIPPING}/Track$`));
});

test('a unary call: reply, status, headers, and the way to its trace', async () => {
  const page = await open(`${SHIPPING}/Quote`);
  await field(page, 'country').fill('at');
  await field(page, 'grams').fill('100');
  await button(page, 'Send').click();
  await outcome(page, 'OK');
  await answer(page).getByText('410').waitFor();
  await answer(page).getByRole('link', { name: 'Trace' }).click();
  await page.getByRole('heading', { level: 1, name: /Shipping\.Quote/ }).waitFor();
});

test('a failure shows its code, its text and what that means', async () => {
  const page = await open(`${SHIPPING}/Quote`);
  await field(page, 'country').fill('moon');
  await field(page, 'country').press('Control+Enter');
  await outcome(page, 'UNKNOWN');
  await answer(page).getByRole('alert').getByText('No parcels are sent to moon.').waitFor();
});

test('form and JSON are one input, and what the form does not know stays', async () => {
  const page = await open(`${SHIPPING}/Quote`);
  await page.getByRole('tab', { name: 'JSON' }).click();
  await asJson(page).fill('{"country": "fr", "colour": "red", "grams": 12}');
  await page.getByRole('tab', { name: 'Form' }).click();
  assert.equal(await field(page, 'country').inputValue(), 'fr');
  await page.getByText('Also in the JSON').waitFor();
  await field(page, 'grams').fill('30');
  await page.getByRole('checkbox', { name: 'last' }).check();
  assert.deepEqual(await jsonOf(page), { country: 'fr', colour: 'red', grams: 30, last: true });
  await page.getByRole('button', { name: 'Leave out last' }).click();
  assert.deepEqual(await jsonOf(page), { country: 'fr', colour: 'red', grams: 30 });
  await button(page, 'Send').click();
  await answer(page).getByRole('alert').getByText(/colour/).waitFor();
});

test('what is not JSON is told and not sent', async () => {
  const page = await open(`${SHIPPING}/Quote`, '?input=json');
  await asJson(page).fill('{"country": ');
  assert.ok(await button(page, 'Send').isDisabled());
  await page.getByText('The input is not JSON yet').waitFor();
  await page.getByRole('tab', { name: 'Form' }).click();
  await page.getByText(/there is no form for it/).waitFor();
  await page.getByRole('tab', { name: 'JSON' }).click();
  await button(page, 'Example').click();
  await field(page, 'Input as JSON').waitFor();
  assert.ok(await button(page, 'Send').isEnabled());
});

test('ordinary doubles and numbers beyond 2^53 are input, and are copied as they are', async () => {
  const page = await open(`${SHIPPING}/Quote`, '?input=json');
  await asJson(page).fill('{"country": "at", "x": 0.30000000000000004, "id": 9007199254740993}');
  assert.ok(await button(page, 'Send').isEnabled());
  const exact = '{"country":"at","x":0.30000000000000004,"id":9007199254740993}';
  assert.ok((await copied(page, 'grpcurl')).includes(exact));
  assert.ok((await copied(page, 'cloudstate-dev call')).includes(exact));
  assert.ok(!(await copied(page, 'curl')).includes('9007199254740992'));
});

test('the key is marked, and filled in by the address', async () => {
  const page = await open(`${PARCELS}/Send`, '?entity=ivy');
  await page.getByText('entity key').waitFor();
  await eventually('the key', async () => (await field(page, 'sender').inputValue()) === 'ivy');
});

const DESCRIPTION = {
  messages: [
    {
      name: `${SHIPPING.slice(0, -9)}.Parcel`,
      fields: [
        { name: 'note', jsonName: 'note', type: 'bytes' },
        { name: 'size', jsonName: 'size', type: 'shop.Size', nestedType: 'shop.Size' },
        { name: 'tags', jsonName: 'tags', type: 'string', repeated: true },
        { name: 'stock', jsonName: 'stock', type: 'map<string, int64>' },
        { name: 'places', jsonName: 'places', type: 'map<int32, string>' },
        { name: 'by_name', jsonName: 'byName', type: 'string', oneof: 'by' },
        { name: 'by_box', jsonName: 'byBox', type: 'shop.Box', nestedType: 'shop.Box', oneof: 'by' },
        { name: 'inner', jsonName: 'inner', type: 'shop.Box', nestedType: 'shop.Box' },
        { name: 'at', jsonName: 'at', type: 'google.protobuf.Timestamp', nestedType: 'google.protobuf.Timestamp' },
        { name: 'more', jsonName: 'more', type: 'google.protobuf.Struct', nestedType: 'google.protobuf.Struct' },
        { name: 'count', jsonName: 'count', type: 'uint64' },
      ],
    },
    { name: 'shop.Box', fields: [{ name: 'width', jsonName: 'width', type: 'double' }, { name: 'within', jsonName: 'within', type: 'shop.Box', nestedType: 'shop.Box' }] },
  ],
  enums: [{ name: 'shop.Size', values: ['SMALL', 'LARGE'] }],
};

async function openDescribed(json) {
  const page = await it.open('#/calls');
  await page.route('**/v1/types/*', (route) => route.fulfill({ json: DESCRIPTION }));
  await page.goto(`${it.url}#/try/${SHIPPING}/Quote?input=json`);
  await asJson(page).fill(JSON.stringify(json));
  await page.getByRole('tab', { name: 'Form' }).click();
  return page;
}

test('every kind of field has an editor', async () => {
  const page = await openDescribed({});
  await button(page, 'Text').click();
  await field(page, 'note, text').fill('hé');
  await page.getByRole('combobox', { name: 'size' }).selectOption('LARGE');
  const tags = page.getByRole('group', { name: 'tags', exact: true });
  await tags.getByRole('button', { name: 'Add one' }).click();
  await field(page, 'tags[0]').fill('a');
  await tags.getByRole('button', { name: 'Add another' }).click();
  await field(page, 'tags[1]').fill('b');
  await button(page, 'Remove tags[0]').click();
  await page.getByRole('group', { name: 'stock', exact: true }).getByRole('button', { name: 'Add one' }).click();
  await field(page, 'Key 1 of stock').fill('pears');
  await field(page, 'Key 1 of stock').press('Tab');
  await field(page, 'stock[pears]').fill('9007199254740993');
  await page.getByRole('combobox', { name: 'Which of by' }).selectOption('by_name');
  await field(page, 'by_name').fill('x');
  await page.getByRole('combobox', { name: 'Which of by' }).selectOption('by_box');
  await field(page, 'by_box.width').fill('1.5');
  await page.getByRole('group', { name: 'inner', exact: true }).getByRole('button', { name: 'Add inner' }).click();
  await page.getByRole('group', { name: 'inner.within', exact: true }).getByRole('button', { name: 'Add within' }).click();
  await field(page, 'inner.within.width').fill('wide');
  await page.getByText('not a number').waitFor();
  await field(page, 'inner.within.width').fill('2');
  await field(page, 'at').fill('2026-01-31T12:00:00Z');
  await field(page, 'more as JSON').fill('{"a": [1, ');
  await page.getByRole('alert').first().waitFor();
  await field(page, 'more as JSON').fill('{"a": [1, 2]}');
  await field(page, 'count').fill('-1');
  await page.getByText('must not be negative').waitFor();
  await field(page, 'count').fill('18446744073709551615');
  assert.deepEqual(await jsonOf(page), {
    note: 'aMOp', size: 'LARGE', tags: ['b'], stock: { pears: '9007199254740993' }, byBox: { width: 1.5 }, inner: { within: { width: 2 } },
    at: '2026-01-31T12:00:00Z', more: { a: [1, 2] }, count: '18446744073709551615',
  });
});

test('numbers are typed key by key, and are sent as numbers', async () => {
  const page = await openDescribed({ inner: { within: {} } });
  await field(page, 'inner.width').pressSequentially('-0.50');
  assert.equal(await field(page, 'inner.width').inputValue(), '-0.50');
  await field(page, 'inner.within.width').pressSequentially('1e3');
  assert.equal(await field(page, 'inner.within.width').inputValue(), '1e3');
  assert.deepEqual(await jsonOf(page), { inner: { width: -0.5, within: { width: 1000 } } });
});

test('a renamed entry of a map keeps the focus, wherever its key puts it', async () => {
  const page = await openDescribed({ places: { 1: 'one', 2: 'two', 3: 'three' } });
  await field(page, 'Key 1 of places').fill('7');
  await page.keyboard.press('Tab');
  await page.keyboard.type('seven');
  await field(page, 'Key 1 of places').fill('8');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('eight');
  assert.deepEqual(await jsonOf(page), { places: { 3: 'three', 7: 'seven', 8: 'eight' } });
});

test('whole numbers beyond 2^53 in a reply keep their digits', async () => {
  const page = await open(`${SHIPPING}/Quote`);
  await page.routeWebSocket(/CallStream/, (socket) => {
    socket.send(JSON.stringify({ json: '{"id": 9007199254740993}' }));
    socket.send(JSON.stringify({ end: {} }));
  });
  await page.reload();
  await button(page, 'Send').click();
  await answer(page).getByText('9007199254740993').waitFor();
});

test('a call and its form stay while the user function is started anew', async () => {
  const page = await open(`${SHIPPING}/Track`);
  await field(page, 'country').fill('it');
  await field(page, 'milliseconds_between').fill('60000');
  await button(page, 'Send').click();
  await messages(page).getByText(/Munich/).waitFor();
  let starts = 1;
  const asked = [];
  await page.route(/\/v1\/(services|types\/)/, (route) => asked.push(route));
  await page.route('**/v1/status', async (route) => {
    const now = await (await route.fetch()).json();
    await route.fulfill({ json: { ...now, userFunction: { ...now.userFunction, since: `2026-01-01T00:00:0${starts}Z` } } });
  });
  const next = (what) => eventually(`${what} are asked for`, () => {
    const at = asked.findIndex((route) => route.request().url().includes(what));
    return at >= 0 && asked.splice(at, 1)[0];
  });
  const stays = async () => {
    assert.ok(await messages(page).getByText(/Munich/).isVisible());
    assert.equal(await field(page, 'country').inputValue(), 'it');
  };
  const services = await next('services');
  await stays();
  await (await next('types')).abort('aborted');
  await services.fulfill({ json: {} });
  starts = 2;
  const again = await next('services');
  await stays();
  await again.continue();
  await (await next('types')).continue();
  await button(page, 'Cancel').click();
  await answer(page).getByText('You cancelled the call.').waitFor();
  await stays();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('a stream of answers is shown as it comes, and can be cancelled', async () => {
  const page = await open(`${SHIPPING}/Track`);
  await field(page, 'country').fill('it');
  await field(page, 'milliseconds_between').fill('1');
  await button(page, 'Send').click();
  await outcome(page, 'OK');
  assert.deepEqual((await messages(page).allInnerTexts()).map((text) => /"name": ?"(\w+)"/.exec(text)?.[1]).slice(1), ['Munich', 'Innsbruck', 'Verona', 'Rome']);

  await field(page, 'milliseconds_between').fill('60000');
  await button(page, 'Send').click();
  await messages(page).getByText(/Munich/).waitFor();
  await button(page, 'Cancel').click();
  await answer(page).getByText('You cancelled the call.').waitFor();
  await eventually('the call has ended at the emulator too', async () =>
    (await it.api('/v1/commands')).commands.some(({ method, code }) => method === 'Track' && code === 1));
});

test('a stream both ways: send, send another, finish', async () => {
  const page = await open(`${SHIPPING}/QuoteEach`, '?input=json');
  await asJson(page).fill('{"country": "at", "grams": 10}');
  await button(page, 'Send').click();
  await messages(page).getByText(/received.*401/).waitFor();
  await asJson(page).fill('{"country": "sea", "last": true}');
  await button(page, 'Send another').click();
  await messages(page).getByText(/received.*No parcels are sent to sea/).waitFor();
  await messages(page).last().getByRole('button').click();
  await messages(page).last().getByText('problem:').waitFor();
  await outcome(page, 'OK');
  assert.match(await copied(page, 'cloudstate-dev call'), /QuoteEach '\{"country":"at","grams":10\}' '\{"country":"sea","last":true\}'/);
});

test('finishing a stream tells the other side', async () => {
  const page = await open(`${SHIPPING}/QuoteEach`, '?input=json');
  await asJson(page).fill('{"country": "fr"}');
  await button(page, 'Send').click();
  await messages(page).getByText(/received/).waitFor();
  await button(page, 'Finish sending').click();
  await answer(page).getByText('Waiting for the answer').waitFor();
  assert.ok(await button(page, 'Send').isDisabled());
  await button(page, 'Cancel').click();
  await answer(page).getByText('You cancelled the call.').waitFor();
});

test('node, deadline and metadata go with the call', async () => {
  const page = await open(`${SHIPPING}/Track`);
  await field(page, 'country').fill('at');
  await field(page, 'milliseconds_between').fill('60000');
  await page.getByRole('combobox', { name: 'Taken by' }).selectOption('Node 3');
  await field(page, 'Deadline').fill('soon');
  await page.getByText('Write the deadline as 500ms or 5s').waitFor();
  await field(page, 'Deadline').fill('300ms');
  await button(page, 'Add metadata').click();
  await field(page, 'Name of metadata 1').fill('x-user');
  await field(page, 'Value of metadata 1').fill("o'hara");
  await button(page, 'Send').click();
  await outcome(page, 'DEADLINE_EXCEEDED');
  const { commands } = await it.api('/v1/commands?filter.method=Track&limit=1');
  assert.equal(commands[0].node, 3);
  const curl = await copied(page, 'curl');
  assert.match(curl, /-H 'x-user: o'\\''hara' -H 'x-cloudstate-node: 3' -H 'grpc-timeout: 300m'/);
  await button(page, 'Add metadata').click();
  await field(page, 'Name of metadata 2').fill('X-User');
  await page.getByText('Metadata x-user is there twice').waitFor();
  assert.ok(await button(page, 'Send').isDisabled());
  await button(page, 'Remove metadata 2').click();
  await button(page, 'Remove metadata 1').click();
  assert.doesNotMatch(await copied(page, 'grpcurl'), /x-user/);
});

test('what is copied does the same in a shell', async () => {
  const page = await open(`${PARCELS}/Send`, '?input=json');
  await asJson(page).fill(`{"sender": "it's $HOME", "country": "at", "grams": 7}`);
  const run = (line, path) => execFileSync('sh', ['-c', line], { encoding: 'utf8', env: { ...process.env, PATH: `${path}:${process.env.PATH}` } });
  assert.deepEqual(JSON.parse(run(`${await copied(page, 'curl')} -s`)), { cents: 401 });
  const here = binary.slice(0, binary.lastIndexOf('/'));
  assert.match(run(await copied(page, 'cloudstate-dev call'), here), /401/);
  const { entities } = await it.api('/v1/entities?filter.id_contains=HOME');
  assert.deepEqual(entities.map(({ entityId, lastSequence }) => [entityId, lastSequence]), [["it's $HOME", '2']]);
});

test('calls of this tab can be made again, after a reload as well', async () => {
  const page = await open(`${SHIPPING}/Quote`);
  await field(page, 'country').fill('it');
  await button(page, 'Send').click();
  await outcome(page, 'OK');
  await page.goto(`${it.url}#/try/${PARCELS}/Send`);
  await page.reload();
  const past = page.getByRole('region', { name: 'Calls of this tab' });
  await past.getByRole('button', { name: /Shipping\.Quote.*"it".*OK/ }).click();
  await page.getByRole('heading', { name: /Shipping\.Quote/ }).waitFor();
  assert.equal(await field(page, 'country').inputValue(), 'it');
  await past.getByRole('button', { name: 'Forget' }).click();
  await past.waitFor({ state: 'detached' });
});

test('an unknown method says so', async () => {
  const page = await open(`${SHIPPING}/Teleport`);
  await page.getByText('The user function has no such method').waitFor();
});

test('nothing can be sent where nothing may be changed, and the page says why', async () => {
  const page = await readOnly.open('#/try');
  const send = button(page, 'Send');
  await page.getByText('Started with --read-only: nothing can be called.').waitFor();
  assert.ok(await send.isDisabled());
  assert.match(await send.getAttribute('title'), /--read-only/);
});
