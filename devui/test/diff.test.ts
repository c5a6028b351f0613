import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffLines, fold, linesOf } from '../src/ui/diff';

const shown = (before: string, after: string) =>
  diffLines(before.split(''), after.split('')).map(({ kind, text }) => ({ same: ' ', removed: '-', added: '+' })[kind] + text).join('');

test('equal texts have no difference', () => assert.equal(shown('abc', 'abc'), ' a b c'));

test('what is in both stays, what is in one only is removed or added', () => {
  assert.equal(shown('abcd', 'axcd'), ' a-b+x c d');
  assert.equal(shown('', 'ab'), '+a+b');
  assert.equal(shown('ab', ''), '-a-b');
  assert.equal(shown('abab', 'ba'), '-a b a-b');
});

test('applying a difference to the first text gives the second one', () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let run = 0; run < 500; ++run) {
    const text = () => Array.from({ length: random(12) }, () => 'abc'[random(3)]!);
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const of = (...kinds: string[]) => lines.filter(({ kind }) => kinds.includes(kind)).map((line) => line.text);
    assert.deepEqual(of('same', 'removed'), before);
    assert.deepEqual(of('same', 'added'), after);
  }
});

test('texts that are too long for it are replaced as a whole between what they share', () => {
  const numbered = (name: string) => ['first', ...Array.from({ length: 3_000 }, (_, i) => `${name}${i}`), 'last'];
  const lines = diffLines(numbered('a'), numbered('b'));
  assert.equal(lines.filter(({ kind }) => kind === 'removed').length, 3_000);
  assert.equal(lines.filter(({ kind }) => kind === 'added').length, 3_000);
  assert.deepEqual([lines[0]!.text, lines.at(-1)!.text], ['first', 'last']);
});

test('the order of keys makes no difference', () => {
  assert.deepEqual(linesOf({ b: [{ d: 1, c: 2 }], a: null }), linesOf({ a: null, b: [{ c: 2, d: 1 }] }));
  assert.deepEqual(linesOf(undefined), []);
});

test('equal lines far from a difference are folded', () => {
  const lines = diffLines([...'aaaaaaaaaab'], [...'aaaaaaaaaac']);
  assert.deepEqual(fold(lines, 2).map((line) => (line.kind === 'folded' ? line.count : line.kind)), [8, 'same', 'same', 'removed', 'added']);
});
