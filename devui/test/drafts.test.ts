import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsOf } from '../src/pages/metrics/figures';
import { drafts, setDraft } from '../src/pages/try/drafts';
import { kept } from '../src/state/kept';

test('the newest drafts are kept', () => {
  const draft = (text: string) => ({ text, headers: [], deadline: '', node: 0 });
  for (let i = 0; i < 20; ++i) setDraft(`s/${i}`, draft(''));
  setDraft('s/0', draft('again'));
  setDraft('s/20', draft(''));
  assert.equal(drafts.get().size, 20);
  assert.equal(drafts.get().get('s/0')?.text, 'again');
  assert.equal(drafts.get().has('s/1'), false);
});

test('what CRDTs write is no stored event', () => {
  const sample = { entities: { carts: { kind: 'event sourced', events: '3' }, rooms: { kind: 'crdt', events: '5' } } };
  assert.equal(eventsOf(sample, { service: '', entity: '' }), 3);
  assert.equal(eventsOf(sample, { service: 'Chat', entity: 'rooms' }), 0);
});

test('what a browser keeps is looked at, and may be missing', () => {
  const texts = new Map<string, string>();
  const storage = { getItem: (key: string) => texts.get(key) ?? null, setItem: (key: string, text: string) => void texts.set(key, text) };
  Object.defineProperty(globalThis, 'sessionStorage', { value: storage, configurable: true });
  const numbers = kept('n', (found) => (typeof found === 'number' ? found : undefined), 'sessionStorage');
  assert.equal(numbers.get(), undefined);
  assert.equal(numbers.set(7), true);
  assert.equal(numbers.get(), 7);
  for (const other of ['"7"', '{', 'null']) {
    texts.set('n', other);
    assert.equal(numbers.get(), undefined);
  }
  Object.defineProperty(globalThis, 'sessionStorage', { get: () => { throw new Error('SecurityError'); }, configurable: true });
  assert.equal(numbers.get(), undefined);
  assert.equal(numbers.set(8), false);
});
