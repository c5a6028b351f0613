// Who may look, and who may change something: the dashboard's own pages of this run, and tools; no page of anybody else.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { test } from 'node:test';

import { CART, dashboard, eventually, launchBrowser } from './harness.js';
import { PAGES, shown } from './pages.js';

const it = dashboard({ sample: 'shopping-cart-node', nodes: 2, keep: true });

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

// A request with the headers as they are told, Host included: {status, headers, text}.
function send(where, path, { method = 'GET', headers = {}, body } = {}) {
  const [host, port] = where.emulator.admin.split(':');
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ host, port, path, method, headers: { ...json, ...headers } }, async (answer) => {
      let text = '';
      for await (const part of answer.setEncoding('utf8')) text += part;
      resolve({ status: answer.statusCode, headers: answer.headers, text });
    });
    asked.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const CHANGES = {
  call: ['/v1/call', { method: 'POST', body: { service: CART, method: 'GetCart', json: '{"userId":"me"}' } }],
  steering: ['/v1/cluster:steer', { method: 'POST', body: { link: { settings: {} } } }],
  replay: ['/v1/replay', { method: 'POST', body: { persistenceId: 'shopping-cart', entityId: 'user-0', sequence: 1, commands: [] } }],
  deletion: ['/v1/entities/shopping-cart/user-0', { method: 'DELETE' }],
  'call by its method': ['/cloudstate.dev.v1.Emulator/Call', { method: 'POST', body: { service: CART, method: 'GetCart', json: '{"userId":"me"}' } }],
};
const change = (where, name, headers) => {
  const [path, options] = CHANGES[name];
  return send(where, path, { ...options, headers: { ...options.headers, ...headers } });
};
const ownOrigin = (where) => ({ origin: `http://${where.emulator.admin}` });

test('another name in Host is refused, so that no page can come near by a name of its own', async () => {
  const port = it.emulator.admin.split(':')[1];
  for (const host of ['evil.test', `evil.test:${port}`, 'localhost.evil.test', '127.0.0.1.evil.test', '127.0.0.1@evil.test', '10.0.0.1']) {
    for (const path of ['/', '/v1/status', '/v1/entities']) assert.equal((await send(it, path, { headers: { host } })).status, 403, `${host} ${path}`);
  }
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) assert.equal((await send(it, '/v1/status', { headers: { host } })).status, 200, host);
});

test('pages of other origins are refused', async () => {
  const { admin, client } = it.emulator;
  for (const origin of ['http://evil.test', 'null', `https://${admin}`, `http://${client}`, `http://${admin}.evil.test`, 'http://localhost']) {
    for (const path of ['/', '/v1/status']) assert.equal((await send(it, path, { headers: { origin } })).status, 403, `${origin} ${path}`);
    for (const name of Object.keys(CHANGES)) {
      assert.equal((await change(it, name, { origin, 'x-cloudstate-token': await it.token() })).status, 403, `${origin} ${name}`);
    }
  }
});

test('an answer allows nobody else to read it', async () => {
  const { headers } = await send(it, '/v1/status');
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('access-control-')), []);
});

test('the page has its headers', async () => {
  const { headers, text } = await send(it, '/');
  assert.equal(headers['content-security-policy'], CSP);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  assert.match(headers['content-type'], /^text\/html/);
  assert.match(text, /name="cloudstate-token" content="[0-9a-f]{32}"/);
});

test('a page changes nothing without the token of the run', async () => {
  await it.fill(1);
  const token = await it.token();
  for (const name of Object.keys(CHANGES)) {
    for (const wrong of [{}, { 'x-cloudstate-token': '' }, { 'x-cloudstate-token': 'f'.repeat(32) }, { 'x-cloudstate-token': `${token}0` }]) {
      const { status, text } = await change(it, name, { ...ownOrigin(it), ...wrong });
      assert.equal(status, 403, `${name} ${JSON.stringify(wrong)}: ${text}`);
      assert.match(text, /Reload the page/);
    }
  }
  for (const name of Object.keys(CHANGES)) {
    const { status, text } = await change(it, name, { ...ownOrigin(it), 'x-cloudstate-token': token });
    assert.equal(status, 200, `${name}: ${text}`);
  }
});

test('tools need no token', async () => {
  await it.fill(1);
  for (const name of Object.keys(CHANGES)) assert.equal((await change(it, name)).status, 200, name);
});

// Opens a WebSocket from a page of the emulator's own, and tells what comes.
const callStream = (page, token) =>
  page.evaluate(([token, service]) => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/cloudstate.dev.v1.Emulator/CallStream`);
    const received = [];
    socket.onopen = () => {
      socket.send(JSON.stringify({ start: { service, method: 'GetCart', token } }));
      socket.send(JSON.stringify({ json: '{"userId":"me"}' }));
      socket.send('');
    };
    socket.onmessage = ({ data }) => received.push(data);
    socket.onclose = ({ code, reason }) => resolve({ code, reason, received });
  }), [token, CART]);

test('a stream is opened with the token only', async () => {
  const page = await it.open();
  for (const wrong of ['', 'f'.repeat(32)]) assert.equal((await callStream(page, wrong)).code, 4007, `token ${wrong}`);
  const { code, reason, received } = await callStream(page, await it.token());
  assert.equal(code, 1000, reason);
  assert.ok(received.length > 0);
});

test('the token of an earlier run is none', async () => {
  const old = await it.token();
  await (await it.interrupt())();
  const { status } = await change(it, 'call', { ...ownOrigin(it), 'x-cloudstate-token': old });
  assert.equal(status, 403);
});

test('no page violates its policy, and no request leaves for elsewhere', async () => {
  await it.fill(3, 3);
  const page = await it.open('#/');
  const elsewhere = [];
  page.on('request', (asked) => {
    if (!asked.url().startsWith(it.url) && !asked.url().startsWith('data:')) elsewhere.push(asked.url());
  });
  page.on('websocket', (socket) => {
    if (!socket.url().startsWith(it.url.replace('http:', 'ws:'))) elsewhere.push(socket.url());
  });
  for (const { title, route } of PAGES) {
    await page.goto('about:blank');
    await page.goto(it.url + route); // the harness fails for what the console tells of violations
    await shown(page, title);
    await page.waitForLoadState('load');
  }
  assert.deepEqual(elsewhere, []);
});

// A page of another site, in a browser in which evil.test is this machine.
async function withEvilPage(work) {
  const browser = await launchBrowser(['--host-resolver-rules=MAP *.test 127.0.0.1']);
  const site = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title>'));
  await new Promise((done) => { site.listen(0, '127.0.0.1', done); });
  try {
    const page = await browser.newPage();
    await page.goto(`http://evil.test:${site.address().port}/`);
    await work(page);
  } finally {
    await browser.close();
    site.close();
  }
}

test('a page of another site can neither read nor change', async () => {
  await it.fill(1);
  const events = (await it.api('/v1/status')).storedEvents;
  await withEvilPage(async (page) => {
    const got = await page.evaluate(async ([admin, adminPort]) => {
      const outcome = (promise) => promise.then((text) => `read ${text}`, () => 'failed');
      const text = (to, options) => outcome(fetch(to, options).then((answer) => answer.text()));
      const element = (name, attributes) => outcome(new Promise((loaded, failed) => {
        const made = Object.assign(document.createElement(name), attributes);
        made.onload = () => loaded(name);
        made.onerror = failed;
        document.body.append(made);
      }));
      const socket = (to) => outcome(new Promise((resolve, reject) => {
        const opened = new WebSocket(to);
        opened.onopen = () => resolve('opened');
        opened.onerror = reject;
      }));
      const frame = document.createElement('iframe');
      frame.src = admin;
      await new Promise((done) => { frame.onload = done; document.body.append(frame); });
      return {
        fetch: await text(`${admin}v1/status`),
        page: await text(admin),
        opaque: await text(`${admin}v1/status`, { mode: 'no-cors' }),
        post: await text(`${admin}v1/call`, { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: '{}' }),
        script: await element('script', { src: `${admin}v1/status` }),
        image: await element('img', { src: `${admin}v1/status` }),
        socket: await socket(`${admin.replace('http', 'ws')}v1/events:watch`),
        // Its own name, which leads to the emulator by now.
        rebound: await text(`http://evil.test:${adminPort}/v1/status`),
        framed: (() => { try { return frame.contentDocument?.title ?? 'failed'; } catch { return 'failed'; } })(),
      };
    }, [`http://${it.emulator.admin}/`, it.emulator.admin.split(':')[1]]);
    for (const [way, outcome] of Object.entries(got)) assert.ok(outcome === 'failed' || outcome === 'read ', `${way}: ${outcome}`);
    assert.equal(await page.evaluate(() => frames[0].length), 0);
  });
  assert.equal((await it.api('/v1/status')).storedEvents, events);
});

test('a page of another site that was rebound reads nothing', async () => {
  await withEvilPage(async (page) => {
    const answer = await page.goto(`http://evil.test:${it.emulator.admin.split(':')[1]}/`);
    assert.equal(answer.status(), 403);
    assert.doesNotMatch(await answer.text(), /cloudstate-token/);
  });
});

test('--read-only lets nobody change anything, and the pages tell', async () => {
  const readOnly = dashboard({ sample: 'shopping-cart-node', nodes: 2, run: ['--read-only'], manual: true });
  await readOnly.start();
  try {
    await readOnly.fill(1); // clients' own port is theirs
    const token = await readOnly.token();
    for (const name of Object.keys(CHANGES)) {
      for (const headers of [{}, { ...ownOrigin(readOnly), 'x-cloudstate-token': token }]) {
        const { status, text } = await change(readOnly, name, headers);
        assert.equal(status, 403, name);
        assert.match(text, /--read-only/);
      }
    }
    const page = await readOnly.open('#/');
    await page.locator('.sidebar').getByText('read-only').waitFor();
    await page.goto(`${readOnly.url}#/try/${CART}/GetCart?entity=user-0`);
    const sending = page.getByRole('button', { name: 'Send' }).first();
    await eventually('Send is disabled', () => sending.isDisabled());
    assert.match(await sending.getAttribute('title'), /read-only/);
    await page.goto(`${readOnly.url}#/entities/shopping-cart/user-0`);
    const deleting = page.getByRole('button', { name: /Delete/ }).first();
    await eventually('Delete is disabled', () => deleting.isDisabled());
    await readOnly.closePages();
    assert.equal((await readOnly.api('/v1/entities/shopping-cart/user-0')).lastSequence, '1', 'it is still there');
  } finally {
    await readOnly.stop();
  }
});
