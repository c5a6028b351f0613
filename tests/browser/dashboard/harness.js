// For the tests of the dashboard. Each file of tests has one emulator with a user function of the published Node library, and
// one Chromium:
//
//   import assert from 'node:assert/strict';
//   import { test } from 'node:test';
//   import { CART, dashboard } from './harness.js';
//
//   const it = dashboard({ sample: 'shopping-cart-node', nodes: 3, run: ['--read-only'] }); // or { run: ['--sample', 'chat'] }
//
//   test('an entity that is stored appears', async () => {
//     const page = await it.open('#/entities', { scheme: 'dark' });
//     await it.call(`${CART}/AddItem`, { userId: 'me', productId: 'p1', name: 'one', quantity: 1 });
//     await page.getByRole('link', { name: 'me' }).waitFor();
//   });
//
// Wait for conditions, never for time: locators wait by themselves, `eventually` does for what is not on the page (not
// page.waitForFunction: the page's policy forbids it). A test
// fails at its end if its pages had errors in the console, exceptions or failed requests which it has not announced with
// `open(route, { allow: [/503/] })` or `it.allow(page, /503/)`. Pages are closed then.
//
//   BINARY=build/release/cmd/cloudstate-dev/cloudstate-dev node --test tests/browser/dashboard/shell.test.js
//
// DASHBOARD=sources tests the page as devui/dev_server.mjs bundles it from its sources, in place of the one in the binary.
// CHROMIUM names another browser than Debian's.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { startEmulator } from '../emulator.js';

export const CART = 'com.example.shoppingcart.ShoppingCart';
const JSON_OR_PROBLEM = 'application/json, application/problem+json';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = resolve(process.env.BINARY ?? process.env.CLOUDSTATE_DEV ?? join(root, 'build/release/cmd/cloudstate-dev/cloudstate-dev'));

// `sample` is a folder of samples/, served with `node index.js`; `command` another user function's command line, run in `cwd`;
// with neither, `run` tells what to serve. `nodes` are the cluster's. `run` are more options of `cloudstate-dev run`. `keep`
// keeps the journal over `interrupt`, in that folder if it names one. With `manual` nothing is done by itself: call start and stop.
export function dashboard(options = {}) {
  const it = new Dashboard(options);
  if (!options.manual) {
    before(() => it.start());
    after(() => it.stop());
    afterEach(() => it.closePages());
  }
  return it;
}

class Dashboard {
  #options;
  #opened = [];
  #scratch;
  #started;
  #sources;

  constructor(options) {
    this.#options = options;
  }

  // Resolves when it is there. A file's own `before` awaits it: Node runs all of a file's at the same time.
  start() {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start() {
    this.#scratch = mkdtempSync(join(tmpdir(), 'dashboard-'));
    [this.browser] = await Promise.all([launchBrowser(), this.#startEmulator()]);
    await this.#startSources();
  }

  async stop() {
    await this.browser?.close();
    this.#sources?.stop();
    await this.emulator?.stop();
    if (this.#scratch) rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #startEmulator(ports) {
    const { sample, command, nodes = 1, run = [], keep, env, cwd, ready } = this.#options;
    const userFunction = sample ? ['node', 'index.js'] : command;
    const more = [...(nodes > 1 ? ['--nodes', nodes] : []), ...run, ...(userFunction ? ['--user-function-port', 0, '--', ...userFunction] : [])];
    const keptIn = keep === true ? join(this.#scratch, 'data') : keep;
    this.emulator = await startEmulator(more, { binary, ports, keptIn, cwd: sample ? prepared(sample) : cwd, env, ready });
  }

  async #startSources() {
    if (process.env.DASHBOARD === 'sources') this.#sources = await serveSources(this.emulator.admin);
  }

  // Where the page is.
  get url() {
    return `http://${this.#sources?.address ?? this.emulator.admin}/`;
  }

  // Ends the emulator, and begins it anew at the same ports when the returned function is called.
  async interrupt() {
    await this.emulator.stop();
    const portOf = (address) => Number(address.split(':').at(-1));
    const { client, admin, metrics } = this.emulator;
    return () => this.#startEmulator({ client: portOf(client), admin: portOf(admin), metrics: portOf(metrics) });
  }

  // A page of its own at a route such as "#/entities", which has been drawn.
  async open(route = '#/', { scheme = 'light', width = 1280, height = 800, allow = [], reducedMotion = 'reduce', init, bypassCSP = false, waitFor = 'h1' } = {}) {
    const context = await this.browser.newContext({
      bypassCSP,
      viewport: { width, height }, colorScheme: scheme, reducedMotion, locale: 'en-US', timezoneId: 'UTC',
      permissions: ['clipboard-read', 'clipboard-write'], acceptDownloads: true,
    });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    if (init) await page.addInitScript(init);
    const problems = [];
    const allowed = [...allow];
    this.#opened.push({ page, context, problems, allowed });
    collectProblems(page, problems);
    await page.goto(this.url + route);
    await page.locator(waitFor).first().waitFor();
    return page;
  }

  // What that page's console may complain about from now on.
  allow(page, ...patterns) {
    this.#opened.find((each) => each.page === page).allowed.push(...patterns);
  }

  // What the pages complained about so far, without what was allowed.
  problems() {
    return this.#opened.flatMap(({ problems, allowed }) => problems.filter((text) => !allowed.some((each) => each.test(text))));
  }

  // Closes what a test has opened, and fails if there was anything wrong.
  async closePages() {
    const problems = this.problems();
    await Promise.all(this.#opened.splice(0).map(({ context }) => context.close()));
    assert.deepEqual(problems, [], 'errors in the pages that no test has announced');
  }

  // Asks the admin port as a command line tool does, and returns the answer's JSON. A string is sent as it is.
  async api(path, { body, method = body === undefined ? 'GET' : 'POST', headers } = {}) {
    const response = await fetch(`http://${this.emulator.admin}${path}`, {
      method,
      headers: { accept: JSON_OR_PROBLEM, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { status: response.status });
    return JSON.parse(text);
  }

  // Calls "package.Service/Method" as a client does, by HTTP. A call that fails is returned as well: {ok, status, json, trace}.
  async call(method, json, { node, headers } = {}) {
    const address = node === undefined ? this.emulator.client : (await this.api('/v1/nodes')).nodes.find((each) => each.node === node).clientAddress;
    const response = await fetch(`http://${address}/${method}`, {
      method: 'POST', headers: { accept: JSON_OR_PROBLEM, 'content-type': 'application/json', ...headers }, body: JSON.stringify(json),
    });
    const text = await response.text();
    return { ok: response.ok, status: response.status, json: text === '' ? undefined : JSON.parse(text), trace: response.headers.get('x-cloudstate-trace') };
  }

  // Carts user-0, user-1… with so many items each, one event for an item.
  async fill(carts, items = 1, prefix = 'user-') {
    const add = async (userId, i) => {
      const { ok, json } = await this.call(`${CART}/AddItem`, { userId, productId: `p${i}`, name: `Product ${i}`, quantity: i + 1 });
      assert.ok(ok, JSON.stringify(json));
    };
    await inParallel(16, carts, async (cart) => {
      for (let i = 0; i < items; ++i) await add(`${prefix}${cart}`, i);
    });
  }

  // The run's token, as a page of the emulator's own has it.
  async token() {
    const html = await (await fetch(`http://${this.emulator.admin}/`)).text();
    return /name="cloudstate-token" content="([^"]+)"/.exec(html)?.[1];
  }
}

export const launchBrowser = (args = []) =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', ...args] });

function collectProblems(page, problems) {
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    // What a page gives up by itself, when it goes elsewhere.
    if (why !== 'net::ERR_ABORTED') problems.push(`request: ${request.method()} ${request.url()}: ${why}`);
  });
}

// A sample's folder, with its libraries and descriptors there. tests/browser/run has done it once for all files.
function prepared(sample) {
  const folder = join(root, 'samples', sample);
  const there = ['node_modules/.package-lock.json', 'user-function.desc'].every((each) => existsSync(join(folder, each)));
  if (!there) execFileSync(join(folder, 'prepare'), { stdio: ['ignore', 'ignore', 'inherit'] });
  return folder;
}

async function serveSources(admin) {
  const child = spawn('node', [join(root, 'devui/dev_server.mjs'), admin, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`devui/dev_server.mjs ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve(/http:\/\/([^/]+)/.exec(line)[1]));
  });
  return { address, stop: () => child.kill() };
}

// work(0), work(1)… work(count - 1), at most so many at a time.
export async function inParallel(most, count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(most, count) }, worker));
}

// Asks until the answer is truthy, and returns it.
export async function eventually(what, condition, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`after ${seconds} s there is still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Before a page is opened: `hide(true)` hides it, without the grace that is given then.
export function hideable() {
  let hidden = false;
  Object.defineProperty(document, 'hidden', { get: () => hidden });
  const later = window.setTimeout;
  window.setTimeout = (act, ms, ...more) => later(act, ms === 10_000 ? 0 : ms, ...more);
  window.hide = (now) => {
    hidden = now;
    document.dispatchEvent(new Event('visibilitychange'));
  };
}

// What is in the address is known a moment after what was done to the page.
export const addressed = (page, pattern) => eventually(`${pattern} in the address`, () => pattern.test(decodeURIComponent(page.url())));

// Waits until the locator finds this many: what is on its way to the page at that moment may still change it.
export async function counts(locator, expected, what = String(locator)) {
  await eventually(`${what}, ${expected} times`, async () => (await locator.count()) === expected);
}
