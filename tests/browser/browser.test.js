// The front door as web pages of another origin see it: the published gRPC-Web clients, and what browsers have built in.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { startEmulator } from './emulator.js';
import { servePage } from './page_server.js';

const CART = 'com.example.shoppingcart.ShoppingCart';
const MODEL = 'cloudstate.tck.model.action.ActionTckModel';
const UNKNOWN = 2;
const UNIMPLEMENTED = 12;

const CHROMIUM = {
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--host-resolver-rules=MAP *.test 127.0.0.1'],
};

let site;
let cart;  // the emulator on the sample that comes with it
let model; // and on the conformance model's actions; pages of friend.test may call
let browser;
let page;

before(async () => {
  site = await servePage();
  const friend = `http://friend.test:${site.port}`;
  [cart, model, browser] = await Promise.all([
    startEmulator([]),
    startEmulator(['--allow-origin', friend, '--user-function-port', '0', '--', process.env.TCK_MODEL]),
    chromium.launch(CHROMIUM),
  ]);
  page = await openPage('localhost');
});

after(async () => {
  await browser?.close();
  site?.close();
  await Promise.all([cart?.stop(), model?.stop()]);
});

// A page of ours under that name.
async function openPage(host) {
  const opened = await browser.newPage();
  opened.on('pageerror', (error) => console.error('in the page:', error));
  await opened.goto(`http://${host}:${site.port}/`);
  await opened.waitForFunction(() => window.clients !== undefined);
  return opened;
}

// Calls one of a page's functions.
const callIn = (where, name, ...args) => where.evaluate(([name, args]) => window.clients[name](...args), [name, args]);
const inPage = (name, ...args) => callIn(page, name, ...args);

const url = (emulator) => `http://${emulator.client}`;
const reply = (message) => ({ steps: [{ step: { case: 'reply', value: { message } } }] });
const fail = (message) => ({ steps: [{ step: { case: 'fail', value: { message } } }] });
const replies = (...messages) => ({ groups: messages.map(reply) });
const jsonOf = (...messages) => JSON.stringify({ groups: messages.map((message) => ({ steps: [{ reply: { message } }] })) });

for (const format of ['text', 'binary']) {
  test(`grpc-web, ${format}: unary calls change and show a cart`, async () => {
    const userId = `grpc-web-${format}`;
    const item = { userId, productId: 'p1', name: 'Größe €', quantity: 3 };
    const added = await inPage('grpcWebUnary', url(cart), format, `${CART}/AddItem`, item, { color: 'blue', 'shape-bin': 'AQI=' });
    assert.deepEqual(added.message, {});
    assert.match(added.headers['x-cloudstate-trace'], /./);
    const { message } = await inPage('grpcWebUnary', url(cart), format, `${CART}/GetCart`, { userId }, {});
    assert.deepEqual(message, { items: [{ productId: 'p1', name: 'Größe €', quantity: 3 }] });
  });

  test(`grpc-web, ${format}: a failure has its code and its text`, async () => {
    const item = { userId: 'u', productId: 'p', name: 'n', quantity: -1 };
    const { error } = await inPage('grpcWebUnary', url(cart), format, `${CART}/AddItem`, item, {});
    assert.equal(error.code, UNKNOWN);
    assert.match(error.message, /quantity/i);
  });

  test(`grpc-web, ${format}: a server stream is read to its end`, async () => {
    const { messages, error } =
      await inPage('grpcWebStream', url(model), format, `${MODEL}/ProcessStreamedOut`, replies('a', 'bc', 'def'), {});
    assert.equal(error, undefined);
    assert.deepEqual(messages.map(({ message }) => message), ['a', 'bc', 'def']);
  });

  test(`grpc-web, ${format}: a stream that fails in the middle tells why`, async () => {
    const groups = [reply('a'), fail('no more Größe')];
    const { messages, error } =
      await inPage('grpcWebStream', url(model), format, `${MODEL}/ProcessStreamedOut`, { groups }, {});
    assert.deepEqual(messages.map(({ message }) => message), ['a']);
    assert.deepEqual(error, { code: UNKNOWN, message: 'no more Größe' });
  });

  test(`grpc-web, ${format}: a client-streamed method is refused with advice`, async () => {
    const { error } = await inPage('grpcWebUnary', url(model), format, `${MODEL}/ProcessStreamedIn`, replies('a'), {});
    assert.equal(error.code, UNIMPLEMENTED);
    assert.match(error.message, /WebSocket/);
  });
}

test('connect-web: unary, failure, metadata', async () => {
  const userId = 'connect';
  const item = { userId, productId: 'p1', name: 'one', quantity: 1 };
  const added = await inPage('connect', url(cart), `${CART}/AddItem`, item, { color: 'blue' });
  assert.deepEqual(added.messages, [{}]);
  assert.match(added.headers['x-cloudstate-trace'], /./);
  const failed = await inPage('connect', url(cart), `${CART}/AddItem`, { ...item, quantity: 0 }, {});
  assert.equal(failed.error.code, UNKNOWN);
  assert.match(failed.error.message, /quantity/i);
});

test('connect-web: server streams', async () => {
  const whole = await inPage('connect', url(model), `${MODEL}/ProcessStreamedOut`, replies('a', 'b'), {});
  assert.deepEqual(whole.messages.map(({ message }) => message), ['a', 'b']);
  const cut = await inPage('connect', url(model), `${MODEL}/ProcessStreamedOut`, { groups: [reply('a'), fail('over')] }, {});
  assert.deepEqual(cut.messages.map(({ message }) => message), ['a']);
  assert.deepEqual(cut.error, { code: UNKNOWN, message: 'over' });
});

test('fetch: JSON both ways, errors and headers are readable', async () => {
  const body = JSON.stringify({ productId: 'p1', name: 'one', quantity: 2 });
  const headers = { 'Content-Type': 'application/json', Color: 'blue' };
  const added = await inPage('fetchText', `${url(cart)}/cart/fetch/items/add`, { method: 'POST', headers, body });
  assert.equal(added.status, 200);
  assert.match(added.headers['x-cloudstate-trace'], /./);
  const got = await inPage('fetchText', `${url(cart)}/carts/fetch`);
  assert.deepEqual(JSON.parse(got.text), { items: [{ productId: 'p1', name: 'one', quantity: 2 }] });
  const unknown = await inPage('fetchText', `${url(cart)}/nowhere`, { headers: { Accept: 'application/problem+json' } });
  assert.equal(unknown.status, 404);
  assert.equal(JSON.parse(unknown.text).status, 404);
});

test('fetch: a server stream is lines of JSON', async () => {
  const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: jsonOf('a', 'b') };
  const { text } = await inPage('fetchText', `${url(model)}/${MODEL}/ProcessStreamedOut`, options);
  assert.equal(text, '{"message":"a"}\n{"message":"b"}\n');
});

test('WebSocket: a bidirectional call, to its end and to its failure', async () => {
  const address = `ws://${model.client}/${MODEL}/ProcessStreamed`;
  const talked = await inPage('webSocket', address, [jsonOf('a'), jsonOf('b')]);
  assert.deepEqual(talked, { received: [{ message: 'a' }, { message: 'b' }], code: 1000, reason: '' });
  const failing = JSON.stringify({ groups: [{ steps: [{ fail: { message: 'no' } }] }] });
  const { received, code, reason } = await inPage('webSocket', address, [jsonOf('a'), failing]);
  assert.deepEqual(received[0], { message: 'a' });
  assert.equal(received[1].error.detail, 'no');
  assert.deepEqual({ code, reason }, { code: 4000 + UNKNOWN, reason: 'no' });
});

test('WebSocket: a server-streamed method', async () => {
  const { received, code } =
    await inPage('webSocket', `ws://${model.client}/${MODEL}/ProcessStreamedOut`, [jsonOf('a')]);
  assert.deepEqual({ received, code }, { received: [{ message: 'a' }], code: 1000 });
});

test('fetch: a server stream is server-sent events for those who accept them', async () => {
  const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
  const { text } =
    await inPage('fetchText', `${url(model)}/${MODEL}/ProcessStreamedOut`, { method: 'POST', headers, body: jsonOf('a', 'b') });
  assert.equal(text, 'data: {"message":"a"}\n\ndata: {"message":"b"}\n\n');
});

test('EventSource: a page of the admin port watches events come', async () => {
  const own = await browser.newPage();
  await own.goto(`http://${cart.admin}/v1/status`);
  const watched = own.evaluate(() => new Promise((resolve, reject) => {
    const source = new EventSource('/v1/events:watch');
    source.onopen = () => { document.title = 'open'; };
    source.onmessage = (event) => {
      source.close();
      resolve(JSON.parse(event.data));
    };
    source.onerror = () => reject(new Error('the event stream failed'));
  }));
  await own.waitForFunction(() => document.title === 'open');
  const body = JSON.stringify({ productId: 'p1', name: 'one', quantity: 1 });
  const headers = { 'Content-Type': 'application/json' };
  await inPage('fetchText', `${url(cart)}/cart/watched/items/add`, { method: 'POST', headers, body });
  assert.match(JSON.stringify(await watched), /"watched"/);
  await own.close();
});

test('a page that was allowed may read', async () => {
  const friend = await openPage('friend.test');
  const { messages } = await callIn(friend, 'connect', url(model), `${MODEL}/ProcessStreamedOut`, replies('a'), {});
  assert.deepEqual(messages, [{ message: 'a' }]);
  const refused = await callIn(friend, 'fetchText', `${url(cart)}/carts/fetch`);
  assert.equal(refused.error, 'Failed to fetch', 'the other emulator did not allow it');
  await friend.close();
});

test('a page of a foreign origin can neither read nor open a WebSocket', async () => {
  const foreign = await openPage('foreign.test');
  const read = await callIn(foreign, 'fetchText', `${url(cart)}/carts/fetch`);
  assert.equal(read.error, 'Failed to fetch');
  const socket = await callIn(foreign, 'webSocket', `ws://${model.client}/${MODEL}/ProcessStreamed`, [jsonOf('a')]);
  assert.deepEqual({ received: socket.received, code: socket.code }, { received: [], code: 1006 });
  await foreign.close();
});

test('the admin port answers no page but its own', async () => {
  const got = await inPage('fetchText', `http://${cart.admin}/v1/status`);
  assert.equal(got.error, 'Failed to fetch');
});
