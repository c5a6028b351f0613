// Whatever a user function and its clients say is text. hostile/index.cjs says it everywhere it can; here every page is
// visited, and must have made nothing of it: with the page's Content-Security-Policy, and with it switched off.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { dashboard, eventually } from './harness.js';
import { link, PAGES, shown } from './pages.js';

const { IMAGE, LINK, SCRIPT, UNSEEN, everything } = createRequire(import.meta.url)('./hostile/texts.cjs');

const hostile = join(dirname(fileURLToPath(import.meta.url)), 'hostile');
const samples = resolve(hostile, '../../../../samples');
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
const command = ['node', join(hostile, 'index.cjs')];
const it = dashboard({ command, cwd: folder, nodes: 2 });
const rejected = dashboard({ command, cwd: folder, env: { REJECTED: '1' }, ready: 'started', manual: true });

const NOTES = `notes ${IMAGE}`;
const HUGE = 'a<b>&'.repeat(1 << 18);
const LONG_ID = `${IMAGE}${'x'.repeat(1 << 20)}`;
const IDS = [...everything, '../..//%2e%2e', '?#&=%', ' '];
let failed; // the trace of a call that failed

before(async () => {
  execFileSync('protoc', [
    '--include_imports', '--include_source_info', `--descriptor_set_out=${join(folder, 'user-function.desc')}`,
    `-I${hostile}`, `-I${samples}/protos`, `-I${samples}/crdts-node/node_modules/cloudstate/proto`, 'hostile.proto',
  ]);
  await rejected.start();
});

after(async () => {
  await rejected.stop();
  rmSync(folder, { recursive: true });
});

const headers = { 'x-mark': IMAGE, 'user-agent': SCRIPT };
const write = (id, text) => it.call('hostile.Notes/Write', { id, text }, { headers });

test('the user function has said all of it', async () => {
  for (const id of IDS) assert.equal((await write(id, `text ${IMAGE}`)).status, 200, id);
  for (const id of IDS) assert.equal((await it.call('hostile.Marks/Put', { id, text: id })).status, 200, id);
  for (const id of IDS) assert.equal((await it.call('hostile.Lists/Add', { id, text: id })).status, 200, id);
  assert.equal((await write('huge', HUGE)).status, 200);
  assert.equal((await write(LONG_ID, 'long')).status, 200);
  const failure = await it.call('hostile.Notes/Fail', { id: IMAGE, text: SCRIPT }, { headers });
  assert.equal(failure.status, 500);
  assert.ok(failure.json.detail.includes(IMAGE));
  failed = failure.trace;
});

// Fails where anything but text was made of a text.
async function assertOnlyText(page, where) {
  const made = await page.evaluate(() => {
    const wrong = (element) =>
      /^(IMG|IFRAME|OBJECT|EMBED|BASE|FORM-ACTION)$/.test(element.tagName) ||
      (element.tagName === 'SCRIPT' && element.type !== 'module') ||
      [...element.attributes].some(({ name, value }) =>
        name.startsWith('on') || name === 'srcdoc' || (/^(href|src|action|formaction|xlink:href)$/.test(name) && /^\s*(javascript|vbscript|data:text)/i.test(value)));
    return [...document.querySelectorAll('*')].filter(wrong).map((element) => element.outerHTML.slice(0, 200));
  });
  assert.deepEqual(made, [], where);
  assert.equal(await page.evaluate(() => window.__hit), undefined, `${where}: something was carried out`);
}

const address = (...segments) => `#/${segments.map(encodeURIComponent).join('/')}`;

// Where each text of the user function must be seen, and so has had its chance.
const VISITS = () => [
  ['overview', '#/', IMAGE],
  ['entities', '#/entities', IMAGE],
  ['entities, searched', `#/entities?q=${encodeURIComponent(IMAGE)}`, IMAGE],
  ...IDS.map((id) => [`entity ${id}`, address('entities', NOTES, id), 'onerror']),
  ['an event', `${address('entities', NOTES, IMAGE)}?at=2`, IMAGE],
  ['time travel', `${address('entities', NOTES, IMAGE)}?at=2&view=travel`, IMAGE],
  ['fork', `${address('entities', NOTES, IMAGE)}?at=2&view=fork`, IMAGE],
  ['no such entity', address('entities', IMAGE, SCRIPT), IMAGE, [/404/]],
  ['calls', '#/calls', IMAGE],
  ['calls, filtered', `#/calls?entity=${encodeURIComponent(IMAGE)}&failed=1`, IMAGE],
  ['call', address('calls', failed), IMAGE],
  ['no such call', address('calls', SCRIPT), undefined, [/404|400/]],
  ['try', '#/try', undefined],
  ['try Notes.Write', `${address('try', 'hostile.Notes', 'Write')}?entity=${encodeURIComponent(SCRIPT)}`, IMAGE],
  ['try nothing', address('try', IMAGE, SCRIPT), undefined, [/404/]],
  ['cluster', '#/cluster', undefined],
  ['crdts', '#/crdts', IMAGE],
  ...IDS.map((id, i) => [`CRDT ${id}`, address('crdts', `hostile.${i % 2 === 0 ? 'Marks' : 'Lists'} ${IMAGE}`, id), 'onerror']),
  ['metrics', '#/metrics', undefined],
  ['logs', '#/logs', IMAGE],
  ['settings', '#/settings', undefined],
  ['an address that is none', address(IMAGE, SCRIPT), undefined],
];

for (const bypassCSP of [false, true]) {
  test(`no page makes anything of it${bypassCSP ? ', also without the Content-Security-Policy' : ''}`, async () => {
    const page = await it.open('#/', { bypassCSP });
    for (const [what, route, text, allowed = []] of VISITS()) {
      it.allow(page, ...allowed);
      // A document of its own for each, so that nothing is left of the one before.
      await page.goto('about:blank');
      await page.goto(it.url + route);
      if (text) await page.locator('main').getByText(text).first().waitFor({ state: 'attached' }).catch((error) => { throw new Error(`${what} (${route}): ${error.message}`); });
      else await page.locator('h1, h2').first().waitFor();
      await assertOnlyText(page, what);
    }
  });
}

test('what is folded out, hovered and opened is text as well', async () => {
  const page = await it.open(address('calls', failed));
  await page.locator('main').getByText(IMAGE).first().waitFor();
  for (const button of await page.locator('main [aria-expanded=false]').all()) await button.click();
  await assertOnlyText(page, 'a call, folded out');
  await page.goto(`${it.url}${address('entities', NOTES, IMAGE)}?at=2`);
  await page.locator('main').getByText(IMAGE).first().waitFor();
  for (const button of await page.locator('main button.json-toggle[aria-expanded=false]').all()) await button.click();
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    await assertOnlyText(page, 'a view of an entity');
  }
});

test('values of a megabyte do not stop the page', async () => {
  const page = await it.open(address('entities', NOTES, 'huge'), { allow: [/41\d|431|ERR_/] });
  await page.locator('main').getByText('a<b>&').first().waitFor();
  for (const title of ['Entities', 'Calls', 'Logs', 'Overview']) {
    const began = Date.now();
    await link(page, title).click();
    await shown(page, title);
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
    assert.ok(Date.now() - began < 20_000, `${title} took ${Date.now() - began} ms`);
    await assertOnlyText(page, title);
  }
  await page.evaluate((to) => { location.hash = to; }, address('entities', NOTES, LONG_ID));
  await page.getByRole('heading', { name: 'Time line' }).or(page.getByRole('alert')).first().waitFor();
  await link(page, 'Calls').click();
  await shown(page, 'Calls');
});

test('text that turns around does not turn its neighbours', async () => {
  const page = await it.open(`#/entities?q=${encodeURIComponent('evil')}`);
  const cell = page.locator('main').getByText(UNSEEN.slice(1, 5)).first();
  await cell.waitFor();
  const isolated = await cell.evaluate((element) => {
    for (let each = element; each; each = each.parentElement) {
      const { display, unicodeBidi } = getComputedStyle(each);
      if (display !== 'inline' || /isolate|plaintext/.test(unicodeBidi)) return each !== document.body && each.tagName !== 'MAIN';
    }
    return false;
  });
  assert.ok(isolated);
});

test('what a rejected user function is rejected for is text', async () => {
  await eventually('rejected', async () => (await rejected.api('/v1/status')).userFunction.state === 'REJECTED');
  for (const { route } of PAGES) {
    const page = await rejected.open(route);
    if (route === '#/') await page.locator('main').getByText(IMAGE).first().waitFor();
    await assertOnlyText(page, route);
    await rejected.closePages();
  }
});

// The words that a shell makes of a line, with a stand-in for the program; the line must do nothing else.
function wordsOf(line) {
  const bin = mkdtempSync(join(tmpdir(), 'stand-in-'));
  try {
    writeFileSync(join(bin, 'cloudstate-dev'), '#!/bin/sh\nprintf "%s\\0" "$@"\n', { mode: 0o755 });
    const words = execFileSync('sh', ['-c', line], { cwd: bin, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` }, encoding: 'utf8' });
    assert.deepEqual(readdirSync(bin), ['cloudstate-dev'], line);
    return words.split('\0').slice(0, -1);
  } finally {
    rmSync(bin, { recursive: true });
  }
}

test('a copied command has each text as one word', async () => {
  const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
  const admin = ['--admin', it.emulator.admin];
  const id = 'x\'; touch pwned; \'"$(touch pwned)`touch pwned`\\ \n!!';
  assert.equal((await it.call('hostile.Marks/Put', { id, text: 'any' })).status, 200);
  const page = await it.open(address('crdts', `hostile.Marks ${IMAGE}`, id));
  await page.getByText('All nodes that are up know the same.').waitFor();
  await page.getByRole('button', { name: 'Copy as command' }).click();
  assert.deepEqual(wordsOf(await clipboard(page)), ['crdt', 'show', `hostile.Marks ${IMAGE}|${id}`, ...admin]);

  await page.goto(`${it.url}#/cluster?link=1-2`);
  const latency = id.replace('\n', ''); // a field of one line
  await page.getByLabel('Latency').fill(latency);
  await page.getByRole('button', { name: /^Copy as a command: .*network link/ }).click();
  assert.deepEqual(wordsOf(await clipboard(page)), ['network', 'link', '--from', '1', '--to', '2', '--latency', latency.trim(), ...admin]);
});

test('a link of data leads nowhere else', async () => {
  const page = await it.open('#/entities');
  await page.locator('main').getByText(LINK).first().waitFor();
  const foreign = await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((each) => each.getAttribute('href')).filter((each) => !each.startsWith('#')));
  assert.deepEqual(foreign, []);
});
