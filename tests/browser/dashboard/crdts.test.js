// The page CRDTs: every interaction, against three nodes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { counts, dashboard, eventually, inParallel } from './harness.js';

const COUNTERS = 'com.example.counters.Counters';
const UP_DOWN = 'com.example.counters.UpDownCounters';
const CHAT = 'com.example.chat.Chat';
// Otherwise the smaller side of a partition would be declared down, and take no calls.
const PATIENT = ['--acceptable-pause', '1m'];
const it = dashboard({ sample: 'crdts-node', nodes: 3, run: PATIENT });

async function call(method, json, node, on = it) {
  const answer = await on.call(method, json, { node });
  assert.ok(answer.ok, JSON.stringify(answer.json));
  return answer.json;
}
const increment = (name, by, node = 1) => call(`${COUNTERS}/Increment`, { name, by: String(by) }, node);
const steer = (action) => it.api('/v1/cluster:steer', { body: action });
const part = () => steer({ partition: { groups: [{ nodes: [1, 2] }, { nodes: [3] }] } });
const heal = () => steer({ heal: {} });
const persistenceIdOf = async (id) => (await it.api('/v1/crdts?page_size=1000')).crdts.find((each) => each.entityId === id)?.persistenceId;
const agreed = (id, values = 3) =>
  eventually(`all agree about ${id}`, async () => {
    const crdt = (await it.api('/v1/crdts?page_size=1000')).crdts.find((each) => each.entityId === id);
    return crdt?.agreed && crdt.values.length === values;
  });
const routeOf = async (id) => `#/crdts/${await persistenceIdOf(id)}/${encodeURIComponent(id)}`;
const replica = (page, node) => page.getByRole('listitem', { name: `Replica on node ${node}` });
const list = (page) => page.getByRole('grid', { name: 'CRDT entities' });
const happenings = (page) => page.getByRole('grid', { name: 'What happens to the replicas' });

test('nothing written yet: the page tells what will be here, and the first entity appears by itself', async () => {
  const page = await it.open('#/crdts');
  await page.getByRole('heading', { name: 'No CRDT entity has been written to' }).waitFor();
  await page.getByText('cloudstate-dev run --sample chat --nodes 3').waitFor();
  await page.getByText(`--node 1 --admin ${it.emulator.admin}`).waitFor();
  await increment('first', 7);
  await list(page).getByRole('row', { name: /first Counters GCounter 3 the same 0 7/ }).waitFor();
});

test('entities are searched, and opened with the keyboard', async () => {
  await increment('apples', 2);
  await call(`${UP_DOWN}/Change`, { name: 'pears', by: '-3' }, 2);
  await agreed('pears');
  const page = await it.open('#/crdts');
  await list(page).getByRole('row', { name: /apples/ }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('pear');
  await list(page).getByRole('row', { name: /apples/ }).waitFor({ state: 'detached' });
  await list(page).getByRole('row', { name: /pears UpDownCounters PNCounter/ }).waitFor();
  assert.match(page.url(), /#\/crdts\?q=pear$/);
  await list(page).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /pears/ }).waitFor();
  await replica(page, 3).getByText('-3').waitFor();
  await page.getByRole('link', { name: 'CRDTs', exact: true }).last().click();
  await list(page).getByRole('row', { name: /apples/ }).waitFor();
  await page.goto(`${it.url}#/crdts?q=nothing-like-that`);
  await page.getByText('No CRDT entity has “nothing-like-that” in its id').waitFor();
});

test('any id can be opened, also one that is a step in a path, or none', async () => {
  for (const [i, id] of ['.', '..', ''].entries()) {
    await increment(id, 40 + i);
    await agreed(id);
    const page = await it.open(await routeOf(id));
    await page.getByRole('heading', { level: 1, name: id || 'without an id' }).waitFor();
    await replica(page, 3).getByText(String(40 + i)).waitFor();
    await it.closePages();
  }
  const page = await it.open('#/crdts');
  await list(page).getByRole('link', { name: 'without an id' }).click();
  await replica(page, 1).getByText('42').waitFor();
});

test('long lists are loaded page by page', async () => {
  await inParallel(16, 250, (i) => increment(`many-${String(i).padStart(3, '0')}`, 1, 1 + (i % 3)));
  const page = await it.open('#/crdts?q=many-');
  await list(page).getByRole('row', { name: /many-000/ }).waitFor();
  assert.ok(Number(await list(page).getAttribute('aria-rowcount')) < 250, 'not all at once');
  await list(page).focus();
  await eventually('the last one is seen', async () => {
    await page.keyboard.press('End');
    return list(page).getByRole('row', { name: /many-249/ }).isVisible();
  });
  assert.equal(await list(page).getAttribute('aria-rowcount'), '251');
  // What is seen stays right.
  await increment('many-249', 41);
  await list(page).getByRole('row', { name: /many-249 .* 42/ }).waitFor();
  // So does what was not seen when it changed, also where nothing changes any more.
  let asked = 0;
  page.on('request', (request) => { if (request.url().includes('/v1/crdts?')) asked = Date.now(); });
  await page.keyboard.press('Home');
  await list(page).getByRole('row', { name: /many-000/ }).waitFor();
  await increment('many-150', 40);
  await agreed('many-150');
  await increment('many-000', 6);
  await list(page).getByRole('row', { name: /many-000 .* 7/ }).waitFor();
  await eventually('the page has heard of all', () => Date.now() - asked > 2_000);
  await list(page).evaluate((grid) => { grid.scrollTop = 150 * 32; });
  await list(page).getByRole('row', { name: /many-150 .* 41/ }).waitFor();
});

test('a chosen entity stays chosen when others come in before it', async () => {
  await increment('order-z', 1);
  const page = await it.open('#/crdts?q=order-');
  await list(page).getByRole('row', { name: /order-z/ }).waitFor();
  await list(page).focus();
  await page.keyboard.press('Home');
  await increment('order-a', 1);
  await list(page).getByRole('row', { name: /order-a/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /order-z/ }).waitFor();
});

test('replicas that know the same are shown as such, and follow what is written', async () => {
  await increment('visits', 5);
  await agreed('visits');
  const page = await it.open(await routeOf('visits'));
  await page.getByText('All nodes that are up know the same.').waitFor();
  for (const node of [1, 2, 3]) {
    await replica(page, node).getByText('5', { exact: true }).waitFor();
    await replica(page, node).getByText('state A').waitFor();
  }
  await replica(page, 1).getByText('active').waitFor();
  await replica(page, 2).getByText('as on nodes 1, 3').waitFor();
  await increment('visits', 3, 2);
  for (const node of [1, 2, 3]) await replica(page, node).getByText('8', { exact: true }).waitFor();
});

test('the page itself cuts a node off, shows what differs and why, and heals', async () => {
  await increment('split', 1);
  await agreed('split');
  const page = await it.open(await routeOf('split'));
  await page.getByRole('button', { name: 'Cut node 3 off' }).click();
  await page.getByRole('status').getByText('the network is parted: 1,2 | 3').waitFor();
  await increment('split', 10, 1);
  await increment('split', 100, 3);
  await page.getByText('The nodes do not know the same.').waitFor();
  await replica(page, 1).getByText('11 not as on node 3').waitFor();
  await replica(page, 3).getByText('101 not as on nodes 1, 2').waitFor();
  await replica(page, 3).getByText('state B').waitFor();

  const differences = page.getByRole('region', { name: 'What differs, and why' });
  await differences.getByText(/Node 3 lacks write \d+ of node 1, which nodes 1, 2 have/).waitFor();
  await differences.getByText('nothing gets from node 3 to node 1: the network is parted').waitFor();
  await page.getByRole('region', { name: 'On its way, or due' }).getByText(/3 → 1.*change \d+, \d+ B, on its way for/).waitFor();

  await page.getByText('Writes known').click();
  await page.getByRole('group', { name: 'Writes known' }).getByRole('row', { name: /node 3, life 1.*≠/ }).waitFor();

  await page.getByRole('button', { name: 'Heal the network' }).click();
  await page.getByText('All nodes that are up know the same.').waitFor();
  for (const node of [1, 2, 3]) await replica(page, node).getByText('111', { exact: true }).waitFor();
  await counts(differences, 0);
});

test('the lesson leads to a method that writes, at both sides', async () => {
  assert.ok((await it.call(`${CHAT}/Post`, { room: 'class', author: 'ann', text: 'hello' })).ok);
  await agreed('class');
  const page = await it.open(`#/crdts/${await persistenceIdOf('class')}/class`);
  const lesson = page.getByRole('region', { name: 'See replicas differ' });
  for (const node of [1, 3]) {
    const side = lesson.getByRole('link', { name: `at node ${node}` });
    await eventually('it is a method without a stream', async () => (await side.getAttribute('href')) === `#/try/${CHAT}/Post?entity=class&node=${node}`);
  }
  await counts(lesson.getByText('--acceptable-pause'), 0, 'this run has been started with it');
  await lesson.getByRole('link', { name: 'at node 3' }).click();
  await page.getByRole('heading', { name: /Post/ }).first().waitFor();
  await eventually('node 3 is chosen', async () => (await page.getByLabel('Taken by').inputValue()) === '3');
});

test('where nodes are soon declared down, the lesson says so first, and how to start', async () => {
  const impatient = dashboard({ nodes: 2, run: ['--sample', 'counters', '--user-function-port', '0'], manual: true });
  await impatient.start();
  try {
    await call(`${COUNTERS}/Increment`, { name: 'one', by: '1' }, 1, impatient);
    const page = await impatient.open('#/crdts');
    await list(page).getByRole('link', { name: 'one' }).click();
    const lesson = page.getByRole('region', { name: 'See replicas differ' });
    await lesson.getByText('cloudstate-dev run --nodes 2 --acceptable-pause 1m --sample counters').waitFor();
    await impatient.closePages();
  } finally {
    await impatient.stop();
  }
});

test('what happens is told as it happens, and can be held', async () => {
  await increment('told', 1);
  await agreed('told');
  const page = await it.open(await routeOf('told'));
  await happenings(page).getByRole('row', { name: /watching from here on/ }).waitFor();
  // How many steps follow a write varies; all of them are to be on the page.
  await page.evaluate(() => { document.querySelector('.crdt-happenings').style.height = '2400px'; });
  await increment('told', 5, 2);
  await happenings(page).getByRole('row', { name: /node 2 written \+5/ }).waitFor();
  // Mostly from node 2; on a busy machine node 3 may be quicker to pass it on.
  await happenings(page).getByRole('row', { name: /node 1 joined from node [23]: \+5/ }).waitFor();
  await happenings(page).getByRole('row', { name: /node 2 acknowledged by node 1/ }).waitFor();
  await page.getByRole('button', { name: 'Hold' }).click();
  await increment('told', 6, 3);
  await replica(page, 1).getByText('12', { exact: true }).waitFor();
  const happens = page.getByRole('region', { name: 'What happens' });
  await happens.getByText(/^[1-9]\d* new$/).waitFor();
  await counts(happenings(page).getByRole('row', { name: /\+6/ }), 0);
  await page.getByRole('button', { name: 'Hold' }).click();
  // What came meanwhile is there.
  await happenings(page).getByRole('row', { name: /node 3 written \+6/ }).waitFor();
  await counts(happens.getByText(/ new$/), 0);
  await increment('told', 7, 3);
  await happenings(page).getByRole('row', { name: /node 3 written \+7/ }).waitFor();
});

test('maps are shown as trees, votes with whose they are, and what differs is marked', async () => {
  const say = (text, node) => call(`${CHAT}/Post`, { room: 'lobby', author: 'ann', text }, node);
  await say('hello', 1);
  const left = new AbortController();
  const { clientAddress } = (await it.api('/v1/nodes')).nodes[1];
  const joined = await fetch(`http://${clientAddress}/${CHAT}/Join`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ room: 'lobby', name: 'cem' }), signal: left.signal,
  });
  assert.ok(joined.ok);
  try {
    await eventually('both are known', async () => (await it.api('/v1/crdts?filter.id_contains=lobby')).crdts.some(({ type, agreed: same, nodes }) => type === 'ORMap' && same && nodes === 3));
    await part();
    await say('only there', 3);
    const page = await it.open(`#/crdts/${(await it.api('/v1/crdts?filter.id_contains=lobby')).crdts.find(({ type }) => type === 'ORMap').persistenceId}/lobby`);
    await replica(page, 2).getByText('1 of 3').waitFor();
    await replica(page, 2).getByText('this node: yes').waitFor();
    await replica(page, 1).getByText('this node: no').waitFor();
    await replica(page, 3).getByRole('listitem').filter({ hasText: 'only there' }).getByText('not on nodes 1, 2').waitFor();
    await replica(page, 1).getByRole('listitem').filter({ hasText: 'only there' }).getByText('only on node 3').waitFor();
    await heal();
    await replica(page, 1).getByRole('listitem').filter({ hasText: 'only there' }).getByText('only on node 3').waitFor({ state: 'detached' });
  } finally {
    left.abort();
    await heal();
  }
});

test('an entity that nobody knows is told, and shown once it is there', async () => {
  await increment('known', 1);
  const page = await it.open(`#/crdts/${await persistenceIdOf('known')}/new%2Fone%3F`, { allow: [/404/] });
  await page.getByRole('heading', { name: 'No node knows of this entity' }).waitFor();
  await increment('new/one?', 9);
  await replica(page, 1).getByText('9', { exact: true }).waitFor();
});

test('what a run before knew is not shown when the new one does not know it', async () => {
  const restarted = dashboard({ nodes: 2, run: ['--sample', 'counters', '--user-function-port', '0'], manual: true });
  await restarted.start();
  try {
    await call(`${COUNTERS}/Increment`, { name: 'one', by: '1' }, 1, restarted);
    const page = await restarted.open('#/crdts', { allow: [/./] });
    await list(page).getByRole('link', { name: 'one' }).click();
    await replica(page, 1).waitFor();
    await (await restarted.interrupt())();
    await page.getByRole('heading', { name: 'No node knows of this entity' }).waitFor();
    await counts(replica(page, 1), 0);
    await counts(page.getByText('All nodes that are up know the same.'), 0);
    await call(`${COUNTERS}/Increment`, { name: 'one', by: '5' }, 1, restarted);
    await replica(page, 1).getByText('5', { exact: true }).waitFor();
    await restarted.closePages();
  } finally {
    await restarted.stop();
  }
});

test('a node that does not run has no replica', async () => {
  await increment('gone', 4);
  await agreed('gone');
  const page = await it.open(await routeOf('gone'));
  await steer({ kill: { node: 3 } });
  await replica(page, 3).getByText('No replica: the node does not run').waitFor();
  await steer({ start: { node: 3 } });
  await replica(page, 3).getByText('4', { exact: true }).waitFor();
});

test('there are ways to the command line, to Try it and to the cluster', async () => {
  await increment('ways', 1);
  await agreed('ways');
  const page = await it.open(await routeOf('ways'));
  await page.getByRole('button', { name: 'Copy as command' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `cloudstate-dev crdt show '${await persistenceIdOf('ways')}|ways' --admin ${it.emulator.admin}`);
  const toTry = page.getByRole('main').getByRole('link', { name: 'Try it' }).first();
  await eventually('it leads to a method that writes', async () => (await toTry.getAttribute('href')) === `#/try/${COUNTERS}/Increment?entity=ways`);
  await replica(page, 2).getByRole('link', { name: 'Node 2' }).click();
  await page.getByRole('heading', { name: 'Node 2' }).waitFor();
});

test('sets are shown as chips, those that differ first', async () => {
  const chat = dashboard({ nodes: 3, run: ['--sample', 'chat', '--user-function-port', '0', ...PATIENT], manual: true });
  await chat.start();
  try {
    const say = (text, node) => call(`${CHAT}/Post`, { room: 'lobby', author: 'ann', text }, node, chat);
    await say('hello', 1);
    await eventually('all know it', async () => (await chat.api('/v1/crdts')).crdts[0]?.nodes === 3);
    await chat.api('/v1/cluster:steer', { body: { partition: { groups: [{ nodes: [3] }] } } });
    await say('news', 3);
    const page = await chat.open(`#/crdts/${CHAT}/lobby`);
    const first = replica(page, 3).getByRole('listitem').filter({ hasText: 'author: ann' }).filter({ hasNotText: 'messages' }).first();
    await first.getByText(/text: news/).waitFor();
    await first.getByText('not on nodes 1, 2').waitFor();
    // A map's entry folds.
    const fold = replica(page, 3).getByRole('button', { name: /messages ORSet, 2/ });
    await fold.click();
    assert.equal(await fold.getAttribute('aria-expanded'), 'false');
    await first.waitFor({ state: 'detached' });
    await chat.closePages();
  } finally {
    await chat.stop();
  }
});

test('with one node the page says how to see replicas differ', async () => {
  const alone = dashboard({ sample: 'crdts-node', manual: true });
  await alone.start();
  try {
    await call(`${COUNTERS}/Increment`, { name: 'alone', by: '1' }, undefined, alone);
    const page = await alone.open('#/crdts');
    await list(page).getByRole('link', { name: 'alone' }).click();
    await page.getByRole('heading', { name: 'One node has nobody to differ from' }).waitFor();
    await page.getByText('cloudstate-dev run --nodes 3 --acceptable-pause 1m -- node index.js').waitFor();
    await alone.closePages();
  } finally {
    await alone.stop();
  }
});
