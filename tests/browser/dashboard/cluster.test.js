// The page Cluster: every interaction, against a cluster of three nodes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressed, CART, counts, dashboard, eventually } from './harness.js';

// Quicker than usual, so that the tests are.
const QUICK = ['--heartbeat-interval', '100ms', '--acceptable-pause', '2s', '--stable-after', '200ms', '--rebalance-interval', '300ms'];
const it = dashboard({ sample: 'shopping-cart-node', nodes: 3, run: QUICK });

const steer = (action) => it.api('/v1/cluster:steer', { body: action });
const nodes = async () => (await it.api('/v1/nodes')).nodes;
const node = async (number) => (await nodes()).find((each) => each.node === number);
const network = () => it.api('/v1/network');
const link = async (from, to) => (await network()).links.find((each) => each.from === from && each.to === to);
const allUp = () => eventually('all nodes up', async () => (await nodes()).every(({ state, paused }) => state === 'up' && !paused), 30);

// Whatever the test before did, its end is undone.
async function whole() {
  await steer({ heal: {} });
  await steer({ link: { settings: {} } });
  for (const { node: number, state, paused } of await nodes()) {
    if (state === 'stopped' || state === 'removed') await steer({ start: { node: number } });
    if (paused) await steer({ resume: { node: number } });
  }
  await allUp();
}

async function open(route = '#/cluster', options) {
  await whole();
  return it.open(route, options);
}

const picture = (page) => page.getByRole('group', { name: 'Picture of the cluster' });
const card = (page, number) => picture(page).getByRole('button', { name: new RegExp(`^Node ${number}\\b`) });
const label = (page, a, b) => picture(page).getByRole('button', { name: new RegExp(`^Link between nodes ${a} and ${b}`) });
const panel = (page) => page.getByRole('region', { name: 'Selection' });
const press = (page, name) => panel(page).getByRole('button', { name, exact: true }).click();
const note = (page, text) => page.getByRole('status').getByText(text).first().waitFor();
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test('nodes and links are seen, and can be chosen with the mouse', async () => {
  const page = await open();
  await page.getByText('3 nodes, all up').waitFor();
  await picture(page).getByRole('button', { name: /^Node 1\b.*coordinator/ }).waitFor();
  await card(page, 2).click();
  await panel(page).getByRole('heading', { name: 'Node 2' }).waitFor();
  await addressed(page, /#\/cluster\?node=2$/);
  await label(page, 1, 3).click();
  await panel(page).getByRole('heading', { name: 'Link 1 ↔ 3' }).waitFor();
  await addressed(page, /\?link=1-3$/);
  await page.reload();
  await panel(page).getByRole('heading', { name: 'Link 1 ↔ 3' }).waitFor();
  await press(page, 'Close');
  await panel(page).getByRole('heading', { name: 'Whole cluster' }).waitFor();
});

test('nodes and links can be chosen with the keyboard, and Escape goes back', async () => {
  const page = await open();
  await card(page, 3).focus();
  await page.keyboard.press('Enter');
  await panel(page).getByRole('heading', { name: 'Node 3' }).waitFor();
  await page.keyboard.press('Escape');
  await panel(page).getByRole('heading', { name: 'Whole cluster' }).waitFor();
  await label(page, 2, 3).focus();
  await page.keyboard.press(' ');
  await panel(page).getByRole('heading', { name: 'Link 2 ↔ 3' }).waitFor();
});

test('a node tells how it sees the others, and leads to its links', async () => {
  const page = await open('#/cluster?node=1');
  const sight = panel(page).getByRole('group', { name: 'How it sees the others' });
  await sight.getByRole('row', { name: /^2 up/ }).waitFor();
  await steer({ pause: { node: 2 } });
  await sight.getByRole('row', { name: /^2 .*not heard/ }).waitFor();
  await panel(page).getByRole('link', { name: 'to node 3' }).click();
  await panel(page).getByRole('heading', { name: 'Link 1 ↔ 3' }).waitFor();
});

test('a node is killed and started again', async () => {
  const page = await open('#/cluster?node=3');
  const { incarnation } = await node(3);
  await press(page, 'Kill');
  await note(page, 'node 3 is killed');
  await card(page, 3).and(page.getByRole('button', { name: /stopped/ })).waitFor();
  await page.getByRole('grid', { name: 'Cluster events' }).getByText('node 3 is killed').first().waitFor();
  await page.getByText('2 of 3 nodes up').waitFor();
  await press(page, 'Start');
  await eventually('node 3 up in its next life', async () => {
    const now = await node(3);
    return now.state === 'up' && Number(now.incarnation) > Number(incarnation);
  });
  await page.getByText('3 nodes, all up').waitFor();
});

test('a node is drained, and leaves', async () => {
  const page = await open('#/cluster?node=2');
  await press(page, 'Drain');
  await card(page, 2).and(page.getByRole('button', { name: /removed/ })).waitFor();
  assert.equal((await node(2)).shards, 0);
  await panel(page).getByRole('button', { name: 'Start', exact: true }).waitFor();
});

test('a node is paused for a time that is checked, and resumed', async () => {
  const page = await open('#/cluster?node=3');
  const time = panel(page).getByLabel('Pause for');
  await time.fill('soon');
  assert.ok(await panel(page).getByRole('button', { name: 'Pause', exact: true }).isDisabled());
  await time.fill('1m30s');
  await press(page, 'Pause');
  await note(page, 'node 3 is paused for 1m30s');
  await card(page, 3).and(page.getByRole('button', { name: /paused/ })).waitFor();
  await press(page, 'Resume');
  await eventually('it goes on', async () => !(await node(3)).paused);
});

test("a node's clock is set wrong, and right again", async () => {
  const page = await open('#/cluster?node=2');
  await panel(page).getByLabel('Skew by').fill('-500ms');
  await press(page, 'Skew');
  await panel(page).getByText('Now it is off by −500 ms.').waitFor();
  await panel(page).getByLabel('Skew by').fill('0');
  await press(page, 'Skew');
  await eventually('it is right', async () => (await node(2)).skew === '0s');
});

test('what is done can be copied as a command', async () => {
  const page = await open('#/cluster?node=2');
  const copy = async (name, expected) => {
    await panel(page).getByRole('button', { name }).click();
    assert.equal(await clipboard(page), `cloudstate-dev ${expected} --admin ${it.emulator.admin}`);
  };
  await copy(/^Copy as a command: .*nodes drain/, 'nodes drain 2');
  await copy(/^Copy as a command: .*nodes pause/, 'nodes pause 2 --for 8s');
  await label(page, 1, 2).click();
  await copy(/^Copy as a command: cloudstate-dev network cut 2 1/, 'network cut 2 1');
  await panel(page).getByRole('button', { name: 'Bad wireless' }).click();
  await copy(/^Copy as a command: .*network link/, "network link --from 1 --to 2 --latency 'uniform(1ms, 200ms)' --loss 10% --reorder 5%");
});

test('a link is cut in one direction, in both, and all is healed', async () => {
  const page = await open('#/cluster?link=1-2');
  await press(page, 'Cut 1 → 2');
  await note(page, 'nothing gets from node 1 to node 2');
  await picture(page).getByRole('button', { name: /1 → 2: cut/ }).waitFor();
  assert.deepEqual([(await link(1, 2)).cut, (await link(2, 1)).cut], [true, false]);
  await press(page, 'Cut both ways');
  await eventually('both are cut', async () => (await link(2, 1)).cut);
  await picture(page).getByRole('button', { name: /nodes 1 and 2: cut/ }).waitFor();
  await press(page, 'Heal all');
  await eventually('none is cut', async () => (await network()).links.every(({ cut }) => !cut));
  await panel(page).getByRole('row', { name: 'Now ok ok' }).waitFor();
});

test('a link is made slow and lossy, both ways or one way', async () => {
  const page = await open('#/cluster?link=2-3');
  await panel(page).getByLabel('Latency').fill('uniform(1ms, 20ms)');
  await panel(page).getByLabel('Lost, %').fill('300');
  assert.ok(await panel(page).getByRole('button', { name: 'Set for this link' }).isDisabled());
  await panel(page).getByLabel('Lost, %').fill('1');
  await panel(page).getByLabel('Twice, %').fill('2');
  await panel(page).getByLabel('Overtaking, %').fill('3');
  await panel(page).getByLabel('Bytes per second').fill('64KiB');
  await press(page, 'Set for this link');
  const expected = { latency: 'uniform(1ms, 20ms)', loss: 0.01, duplicate: 0.02, reorder: 0.03, bytesPerSecond: '65536' };
  await eventually('it is set', async () => (await link(2, 3)).settings.loss === 0.01);
  assert.deepEqual((await link(2, 3)).settings, expected);
  assert.deepEqual((await link(3, 2)).settings, expected);
  await picture(page).getByRole('button', { name: /uniform\(1ms, 20ms\), loss 1%/ }).waitFor();

  await panel(page).getByRole('button', { name: 'Perfect' }).click();
  await panel(page).getByLabel('Direction').selectOption('3 → 2');
  await press(page, 'Set for this link');
  await eventually('one way is perfect', async () => (await link(3, 2)).settings.loss === 0);
  assert.equal((await link(2, 3)).settings.loss, 0.01);
});

test('what the emulator refuses is told', async () => {
  const page = await open('#/cluster?link=1-2', { allow: [/400/] });
  await panel(page).getByLabel('Latency').fill('never');
  await press(page, 'Set for this link');
  await page.locator('.note-bad').waitFor();
});

test('all links get settings', async () => {
  const page = await open();
  await panel(page).getByText('Settings of all links').click();
  await panel(page).getByLabel('Latency').fill('2ms');
  await press(page, 'Set for all links');
  await eventually('they have it', async () => (await network()).defaultSettings.latency === '2ms');
  await label(page, 1, 2).and(page.getByRole('button', { name: /2ms/ })).waitFor();
});

test('a partition is put together by clicking nodes, and healed', async () => {
  const page = await open();
  await press(page, 'Choose groups');
  await panel(page).getByRole('heading', { name: 'Divide the network' }).waitFor();
  await panel(page).getByRole('button', { name: 'Node 3: group B' }).waitFor();
  await card(page, 3).click(); // C
  await panel(page).getByRole('button', { name: 'Node 3: group C' }).click(); // A
  await panel(page).getByText('All nodes are in one group').waitFor();
  assert.ok(await panel(page).getByRole('button', { name: 'Divide' }).isDisabled());
  await card(page, 2).click(); // B
  await addressed(page, /part=1,3\/2/);
  await page.reload();
  await press(page, 'Divide');
  await note(page, 'the network is parted: 1,3 | 2');
  await page.getByText('parted 1,3 | 2').waitFor();
  await picture(page).getByText('node 2 alone').waitFor();
  await picture(page).getByRole('button', { name: /nodes 1 and 2: parted/ }).waitFor();
  await page.getByRole('button', { name: 'Heal', exact: true }).click();
  await eventually('it is healed', async () => (await network()).partition.length === 0);
  await picture(page).getByText('node 2 alone').waitFor({ state: 'detached' });
});

test('shards are shown with their owners, by keyboard too, and are moved', async () => {
  const page = await open('#/cluster?view=shards');
  const cells = page.getByRole('group', { name: 'Shards' }).getByRole('button');
  await cells.nth(99).waitFor();
  await cells.nth(0).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await panel(page).getByRole('heading', { name: 'Shard 11' }).waitFor();
  await addressed(page, /shard=11/);
  const { shards } = await it.api('/v1/shards');
  const to = shards[11].owner === 3 ? 2 : 3;
  await panel(page).getByLabel('Move to').selectOption(`node ${to}`);
  await press(page, 'Move');
  await eventually('it has been granted anew', async () => Number((await it.api('/v1/shards')).shards[11].epoch) > Number(shards[11].epoch));
  await page.getByRole('grid', { name: 'Cluster events' }).getByText(new RegExp(`shard 11.* node ${to}`)).first().waitFor();
});

test("an entity's shard is found", async () => {
  const page = await open('#/cluster?view=shards');
  await it.call(`${CART}/GetCart`, { userId: 'Zoë 😀' });
  await page.getByLabel('Find the shard of an entity id').fill('Zoë 😀');
  await page.keyboard.press('Enter');
  const [, shard] = await eventually('a shard is chosen', () => /shard=(\d+)/.exec(page.url()));
  await eventually('the entity is there', async () => Number((await it.api('/v1/shards')).shards[Number(shard)].activeEntities) === 1);
  await panel(page).getByRole('heading', { name: `Shard ${shard}`, exact: true }).waitFor();
});

test("a node's shards stand out, and its sight is shown", async () => {
  const page = await open('#/cluster?view=shards');
  await page.getByRole('list', { name: 'Owners' }).getByRole('button', { name: /node 2/ }).click();
  await panel(page).getByRole('heading', { name: 'Node 2' }).waitFor();
  await page.getByLabel('Whose sight').selectOption('As node 3 sees it');
  await addressed(page, /sight=3/);
  const asked = await page.waitForResponse(/\/v1\/shards\?node=3/);
  assert.equal((await asked.json()).seenBy, 3);
});

test('the same is there as tables', async () => {
  const page = await open();
  await page.getByRole('tab', { name: 'Table' }).click();
  await addressed(page, /view=table/);
  const table = page.getByRole('grid', { name: 'Nodes' });
  await table.getByRole('row', { name: /1 .*up, coordinator/ }).waitFor();
  await table.focus();
  await page.keyboard.press('ArrowDown');
  await panel(page).getByRole('heading', { name: 'Node 2' }).waitFor();
  await page.getByRole('grid', { name: 'Links' }).getByRole('row', { name: /2 ↔ 3/ }).click();
  await panel(page).getByRole('heading', { name: 'Link 2 ↔ 3' }).waitFor();
});

test('events can be those of one node', async () => {
  const page = await open('#/cluster?of=2');
  const events = page.getByRole('grid', { name: 'Cluster events' });
  await events.getByRole('row', { name: /node 2/ }).first().waitFor();
  await counts(events.getByRole('row', { name: /node 1 /i }), 0);
  await events.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await panel(page).getByRole('heading', { name: 'Node 2' }).waitFor();
  await page.getByLabel('Events of').selectOption('of all nodes');
  await events.getByRole('row', { name: /node 1/ }).first().waitFor();
});

test('events can be held, and what came meanwhile is counted', async () => {
  const page = await open();
  const events = page.getByRole('region', { name: 'Events' });
  const cuts = events.getByRole('row', { name: /nothing gets from node 2 to node 3/ });
  await events.getByRole('row', { name: /node 1/ }).first().waitFor();
  const before = await cuts.count();
  await events.getByRole('button', { name: 'Hold' }).click();
  await steer({ cut: { from: 2, to: 3 } });
  await events.getByText(/^[1-9]\d* new$/).waitFor();
  await counts(cuts, before);
  await events.getByRole('button', { name: 'Hold' }).click();
  await eventually('it is there', async () => (await cuts.count()) > before);
});

test('one node: the page tells how to get a cluster, and makes one', async () => {
  const alone = dashboard({ sample: 'shopping-cart-node', run: QUICK, manual: true });
  await alone.start();
  try {
    const page = await alone.open('#/cluster');
    await page.getByRole('heading', { name: 'One node is not a cluster yet' }).waitFor();
    await page.getByText('cloudstate-dev run --nodes 3').waitFor();
    await page.getByRole('tabpanel').getByRole('button', { name: 'Add a node' }).click();
    await card(page, 2).and(page.getByRole('button', { name: /up/ })).waitFor();
    await page.getByText('2 nodes, all up').waitFor();
    await page.getByRole('button', { name: 'Add node' }).click();
    await card(page, 3).waitFor();
    await alone.closePages();
  } finally {
    await alone.stop();
  }
});

test('with many nodes they stand in rows', async () => {
  const many = dashboard({ sample: 'shopping-cart-node', nodes: 14, manual: true });
  await many.start();
  try {
    const page = await many.open('#/cluster');
    await card(page, 14).click();
    await panel(page).getByRole('heading', { name: 'Node 14' }).waitFor();
    await counts(picture(page).getByRole('button', { name: /^Link/ }), 0);
    await many.closePages();
  } finally {
    await many.stop();
  }
});

test('read-only: nothing can be done, and the page says why', async () => {
  const fixed = dashboard({ sample: 'shopping-cart-node', nodes: 2, run: ['--read-only'], manual: true });
  await fixed.start();
  try {
    const page = await fixed.open('#/cluster?node=1');
    const button = panel(page).getByRole('button', { name: 'Kill', exact: true });
    await eventually('it is disabled', () => button.isDisabled());
    assert.match(await button.getAttribute('title'), /--read-only/);
    await fixed.closePages();
  } finally {
    await fixed.stop();
  }
});
