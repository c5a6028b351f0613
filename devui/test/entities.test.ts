import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntityPager, type PagerState } from '../src/pages/entities/entity_pager';
import { EventBook, snapshotUntil } from '../src/pages/entities/event_book';
import { loadFork, saveFork } from '../src/pages/entities/fork_store';
import { quietOf } from '../src/pages/entities/quiet_calls';
import { curlFor, inputFor, readMethod, writeMethod } from '../src/state/services';
import { briefOf } from '../src/pages/entities/time_line';

type Message = Record<string, unknown>;

// What the emulator would answer; the addresses that were asked for, and what was sent there.
function answer(answers: (to: URL, message: Message) => unknown): (URL & { message: Message })[] {
  const asked: (URL & { message: Message })[] = [];
  globalThis.fetch = (async (to: string, { body }: { body: string | null }) => {
    const message = JSON.parse(body ?? '{}') as Message;
    const address = Object.assign(new URL(to, 'http://emulator'), { message });
    asked.push(address);
    return new Response(JSON.stringify(answers(address, message)));
  }) as typeof fetch;
  return asked;
}

// A journal of so many entities; tokens count.
const rowOf = (searchParams: URLSearchParams) => Number((searchParams.get('page_token') ?? '0').replace('@', ''));

function manyEntities(count: number) {
  return answer(({ searchParams }) => {
    const from = rowOf(searchParams);
    const to = Math.min(count, from + Number(searchParams.get('page_size')));
    const entities = Array.from({ length: to - from }, (_, i) => ({ entityId: String(from + i) }));
    return { entities, nextPageToken: to < count ? String(to) : '', total: from === 0 ? String(count) : '0' };
  });
}

const settled = async () => {
  for (let i = 0; i < 5_000; ++i) await new Promise(setImmediate);
};

test('the first page has 200 entities, and tells how many there are', async () => {
  const asked = manyEntities(1_000_000);
  let state: PagerState | undefined;
  const pager = new EntityPager({ 'filter.id_contains': 'x' }, (now) => (state = now));
  pager.want(0, 30);
  await settled();
  assert.deepEqual([state?.ready, state?.count, asked.length], [true, 1_000_000, 1]);
  assert.equal(asked[0]!.search, '?filter.id_contains=x&page_size=200');
  assert.equal(pager.row(199)?.entityId, '199');
  assert.equal(pager.row(200), undefined);
});

test('a jump asks for the rows there, and from there on for what follows', async () => {
  const asked = manyEntities(1_000_000);
  const pager = new EntityPager({}, () => undefined);
  pager.want(0, 30);
  await settled();
  pager.want(999_970, 999_999);
  await settled();
  assert.equal(pager.row(999_999)?.entityId, '999999');
  pager.want(500_190, 500_220);
  await settled();
  assert.equal(pager.row(500_220)?.entityId, '500220');
  assert.deepEqual(asked.map(({ searchParams }) => searchParams.get('page_token')), [null, '@999800', '@500000', '500200']);
});

test('rows far away are dropped', async () => {
  manyEntities(1_000_000);
  const pager = new EntityPager({}, () => undefined);
  for (let row = 0; row < 100_000; row += 1_000) {
    pager.want(row, row + 30);
    await new Promise((done) => setTimeout(done, 2));
  }
  await settled();
  assert.equal(pager.row(99_010)?.entityId, '99010');
  assert.equal(pager.row(0), undefined);
});

test('a list that has become shorter ends where it ends', async () => {
  let count = 1_000;
  answer(({ searchParams }) => {
    const from = rowOf(searchParams);
    const to = Math.min(count, from + Number(searchParams.get('page_size')));
    return { entities: Array.from({ length: Math.max(0, to - from) }, () => ({})), nextPageToken: to < count ? String(to) : '', total: String(count) };
  });
  const pager = new EntityPager({}, () => undefined);
  pager.want(0, 30);
  await settled();
  count = 700;
  pager.want(970, 999);
  await settled();
  assert.equal(pager.state.count, 700);
});

test('events are fetched by the page, once, and a bounded number is kept', async () => {
  const asked = answer(({ pathname }, message) => {
    const from = Number(message.fromSequence);
    if (pathname.endsWith('/ListSnapshots')) return { snapshots: [{ sequence: String(from + 9) }] };
    return { events: Array.from({ length: 100 }, (_, i) => ({ sequence: String(from + i) })) };
  });
  const book = new EventBook('shopping-cart', '..', () => undefined);
  book.wantRows(95, 105);
  book.wantRows(95, 105);
  await settled();
  assert.deepEqual(asked.map(({ pathname }) => pathname.split('/').pop()).sort(), ['ListEvents', 'ListEvents', 'ListSnapshots', 'ListSnapshots']);
  assert.equal(asked[0]!.message.entityId, '..');
  assert.equal(book.event(105)?.sequence, '105');
  assert.deepEqual([book.hasSnapshot(110), book.hasSnapshot(111)], [true, false]);
  for (let page = 2; page < 60; ++page) {
    book.wantRows(page * 100 + 1, page * 100 + 1);
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(book.event(105), undefined);
  assert.equal(book.event(5_901)?.sequence, '5901');
  for (let sequence = 10_001; sequence <= 15_000; ++sequence) book.put({ sequence: String(sequence) });
  assert.equal(book.event(5_901), undefined);
  assert.equal(book.event(15_000)?.sequence, '15000');
});

// A journal of 1,000 events whose answers have three of them at most.
function largeEvents(): (URL & { message: Message })[] {
  return answer(({ pathname }, { fromSequence, limit }) => {
    if (pathname.endsWith('/ListSnapshots')) return {};
    const [first, wanted] = [Number(fromSequence), Number(limit)];
    const last = Math.min(first + Math.min(3, wanted) - 1, 1_000);
    const events = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({
      sequence: String(first + i), payload: { typeUrl: 'x/Large', json: `"${first + i} ${'x'.repeat(50_000)}"`, value: 'eA==' }, cause: { method: 'Add', command: { json: '{}' } },
    }));
    return { events, nextSequence: last < 1_000 ? String(last + 1) : '0' };
  });
}

test('of large events no more is fetched than is looked at, and rows are kept in brief', async () => {
  const asked = largeEvents();
  const book = new EventBook('p', 'e', () => undefined);
  book.want(1_000);
  book.wantRows(960, 1_000);
  await settled();
  assert.ok(book.event(1_000)!.payload!.json!.length > 50_000);
  for (let sequence = 960; sequence <= 1_000; ++sequence) assert.ok(book.row(sequence), `row ${sequence}`);
  assert.equal(book.row(970)!.payload!.json!.length, 160);
  assert.equal(book.row(970)!.cause!.method, 'Add');
  assert.equal(book.row(950), undefined, 'nobody sees it');
  const events = () => asked.filter(({ pathname }) => pathname.endsWith('/ListEvents')).length;
  assert.ok(events() <= 18, `${events()} answers`);
  const before = events();
  assert.equal(book.event(965), undefined);
  book.want(965);
  await settled();
  assert.ok(book.event(965)!.payload!.json!.startsWith('"965 '));
  assert.equal(events(), before + 1);
  book.want(5_000);
  book.wantRows(900, 910);
  await settled();
  assert.ok(book.row(905), 'what is not there keeps nobody from the rest');
});

test('rows that are no longer seen are not waited for', async () => {
  const asked = largeEvents();
  const book = new EventBook('p', 'e', () => asked.length < 10 && book.wantRows(998, 1_000));
  book.wantRows(1, 300);
  await settled();
  assert.ok(book.row(1_000));
  assert.ok(asked.length < 40, `${asked.length} requests`);
});

test('the snapshot before a point is found however far away', async () => {
  const asked = answer((_, { fromSequence, limit, brief }) => {
    const found = [100, 50_000].filter((at) => at >= Number(fromSequence)).slice(0, Number(limit));
    return { snapshots: found.map((at) => ({ sequence: String(at), time: brief ? 'brief' : 'whole' })) };
  });
  const { signal } = new AbortController();
  assert.deepEqual(await snapshotUntil('p', 'e', 49_999, signal), { sequence: '100', time: 'whole' });
  assert.equal(await snapshotUntil('p', 'e', 99, signal), undefined);
  assert.ok(asked.length < 10);
});

test('calls that stored nothing of the entity are counted, also where another entity stored something', () => {
  const entity = { service: 'shop.Cart', entityId: 'me' };
  const stored = [{ kind: 'stored' }];
  const calls = [
    { ...entity, steps: stored },
    { ...entity, steps: [{ kind: 'failed' }], code: 2 },
    { ...entity, steps: [{ kind: 'replied' }] },
    { service: 'shop.Order', entityId: 'o', caused: [entity], steps: stored },
    { service: 'shop.Order', entityId: 'o', caused: [entity], steps: [{ kind: 'stored', command: 1 }] },
    { ...entity, steps: [], droppedSteps: '1' },
  ];
  assert.deepEqual(quietOf(new Map(calls.map((call, i) => [String(i), call])), entity), { calls: 6, stored: 3, failed: 1 });
});

test('of forks the newest 20 are kept', () => {
  const kept = new Map<string, string>();
  globalThis.sessionStorage = {
    getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text), removeItem: (key: string) => kept.delete(key),
  } as unknown as Storage;
  const fork = { persistenceId: 'p', entityId: 'e', point: 1, steps: [] };
  for (let i = 0; i < 25; ++i) assert.ok(saveFork(String(i), fork));
  saveFork('5', fork);
  saveFork('25', fork);
  assert.deepEqual(['4', '5', '6', '25'].map((id) => loadFork(id) !== undefined), [false, true, false, true]);
  assert.equal(kept.size, 21);
});

const CART = {
  name: 'shop.Cart',
  methods: [
    { name: 'GetCart', keyFields: ['user_id'], example: '{"userId":"user_id"}', http: [{ method: 'GET', path: '/carts/{user_id}' }] },
    {
      name: 'AddItem', keyFields: ['user_id'], example: '{"userId":"user_id","name":"it\'s","quantity":1}',
      http: [{ method: 'POST', path: '/cart/{user_id}/items', body: '*' }],
    },
    { name: 'Watch', serverStreaming: true },
  ],
};

test('methods are told apart, and get the entity\'s key', () => {
  assert.equal(readMethod(CART)?.name, 'GetCart');
  assert.equal(writeMethod(CART)?.name, 'AddItem');
  assert.deepEqual(JSON.parse(inputFor(CART.methods[0], 'a"b')), { userId: 'a"b' });
  assert.equal(inputFor(undefined, 'me'), '{}');
});

test('a first entity is made by a command that a shell takes', () => {
  const line = curlFor(CART, '127.0.0.1:9000');
  assert.ok(line?.includes('http://127.0.0.1:9000/cart/me/items'), line);
  assert.ok(line?.includes(`'{"name":"it'\\''s","quantity":1}'`), line);
  assert.equal(curlFor({ name: 'shop.None', methods: [] }, '127.0.0.1:9000'), undefined);
});

test('an event in brief is its plain values', () => {
  assert.equal(briefOf('{"item":{"productId":"p1","quantity":2,"tags":["a",true,null]}}'), 'p1 · 2 · a · true · null');
  assert.equal(briefOf(undefined), '');
  assert.equal(briefOf(`{"long":"${'x'.repeat(3_000)}"}`).length, 160);
});
