// WCAG 2.2 AA as far as axe-core finds out, on every page, in light and dark, with something to show and without. What it
// cannot find, such as whether the keyboard reaches everything, the pages' own tests look at.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';

import { CART, dashboard } from './harness.js';
import { PAGES } from './pages.js';
import { disagreeing, grown, PATIENT, shopping } from './session.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const empty = dashboard({ sample: 'shopping-cart-node' });
const carts = dashboard({ sample: 'shopping-cart-node', env: { SNAPSHOT_EVERY: '5' } });
const replicas = dashboard({ sample: 'crdts-node', nodes: 3, run: PATIENT });
const scaled = dashboard({ sample: 'shopping-cart-node', run: ['--scaling', 'knative', '--scale-tick', '200ms', '--stable-window', '2s'] });

let cart;
let room;
before(async () => {
  await Promise.all([carts.start(), replicas.start(), scaled.start()]);
  [cart, room] = await Promise.all([shopping(carts), disagreeing(replicas), grown(scaled)]);
});

const entity = (...more) => ['#', 'entities', ...cart.entity].join('/') + more.join('');
// [session, route, what is seen there]
const WITH_DATA = () => [
  [carts, '#/', 'AddItem'],
  [carts, '#/entities', 'ada'],
  [carts, '#/calls', 'AddItem'],
  [carts, '#/calls?failed=1', 'RemoveItem'],
  [carts, `#/calls/${cart.failedTrace}`, 'AddItem'],
  [carts, entity('?at=6'), 'ItemAdded'],
  [carts, entity('?at=6&view=state'), 'ItemAdded'],
  [carts, entity('?at=6&view=travel'), 'GetCart'],
  [carts, entity('?at=6&view=fork'), 'AddItem'],
  [carts, `#/try/${CART}/AddItem?entity=ada`, 'quantity'],
  [carts, '#/metrics', 'calls'],
  [carts, '#/logs', 'gRPC server started'],
  [carts, '#/nowhere', 'no such page'],
  [replicas, '#/cluster', 'Node 3'],
  [replicas, '#/cluster?node=2', 'Node 3'],
  [replicas, '#/cluster?link=1-2', 'Node 3'],
  [replicas, '#/cluster?view=shards', 'Node 3'],
  [replicas, '#/crdts', 'lobby'],
  [replicas, `#/crdts/${room.entity.join('/')}`, 'It is ready!'],
  [scaled, '#/', '2 of 2 replicas ready'],
  [scaled, '#/scaling', '1 → 2'],
  [scaled, '#/scaling?view=replicas', 'node 2'],
  [scaled, '#/scaling?view=settings&all=1', 'USER_FUNCTION_TARGET_CONCURRENCY'],
];

// "color-contrast (serious): Elements must meet … \n  .button: 3.9 of 4.5 …"
async function violations(page) {
  await page.addScriptTag({ path: AXE });
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS);
  return found.violations.map(({ id, impact, help, nodes }) => [
    `${id} (${impact}): ${help}`,
    ...nodes.slice(0, 5).map(({ target, failureSummary }) => `  ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`),
    ...(nodes.length > 5 ? [`  and ${nodes.length - 5} more`] : []),
  ].join('\n'));
}

async function assertAccessible(it, route, scheme, text) {
  // The checker is a script from outside, which the page's policy would not let in.
  const page = await it.open(route, { scheme, bypassCSP: true, waitFor: 'h1, h2' });
  await page.waitForLoadState('load');
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
  if (text) await page.locator('main').getByText(text).first().waitFor({ state: 'attached' });
  const found = await violations(page);
  await it.closePages();
  if (found.length > 0) throw new Error(`${route} in ${scheme}:\n${found.join('\n')}`);
}

for (const scheme of ['light', 'dark']) {
  for (const { title, route } of PAGES) {
    test(`${title}, empty, ${scheme}`, () => assertAccessible(empty, route, scheme));
  }
  test(`with data, ${scheme}`, async (t) => {
    for (const [it, route, text] of WITH_DATA()) {
      await t.test(`${route}, ${scheme}`, () => assertAccessible(it, route, scheme, text));
    }
  });
}

test('scaling by hand, a setting that is changed, and the question before another mode', async () => {
  await scaled.api('/v1/scaling:set', { body: { mode: 'manual' } });
  const page = await scaled.open('#/scaling?view=settings', { bypassCSP: true, allow: [/400/] });
  await page.getByRole('button', { name: 'Change max-scale' }).click();
  await page.getByRole('textbox', { name: 'max-scale' }).fill('many');
  await page.keyboard.press('Enter');
  await page.getByRole('table', { name: 'Settings' }).getByRole('alert').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'cloudstate', exact: true }).click();
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await violations(page), []);
});

test('the dialog of keys', async () => {
  const page = await carts.open('#/', { bypassCSP: true });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  assert.deepEqual(await violations(page), []);
});

test('what is shown larger fits still', async () => {
  // 400 % of 1280 pixels, as WCAG's reflow wants it.
  for (const { title, route } of PAGES) {
    const page = await carts.open(route, { width: 320, height: 640 });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${title} is ${wider} pixels too wide`);
    await carts.closePages();
  }
});
