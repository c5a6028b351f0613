import assert from 'node:assert/strict';
import { test } from 'node:test';
import { path, withQuery } from '../src/api/client';
import { href, parseRoute } from '../src/router';

test('whatever an id holds comes back from an address', () => {
  for (const id of ['me', 'a/b', 'ä ö', '%', '%2F', '?x=1#y', '', '..', '"<>', '日本']) {
    const { segments, query } = parseRoute(href(['entities', 'cart', id], { q: id }));
    assert.deepEqual(segments, ['entities', 'cart', id]);
    assert.equal(query.get('q') ?? '', id);
  }
});

test('an address that somebody typed wrongly is still one', () => {
  assert.deepEqual(parseRoute('#/calls/%zz?').segments, ['calls', '%zz']);
  assert.deepEqual(parseRoute('').segments, []);
});

test('what is left out of a query is not sent', () => {
  assert.equal(withQuery('/v1/x', { a: 1, b: undefined, c: '', d: false, e: 'ä&' }), '/v1/x?a=1&e=%C3%A4%26');
  assert.equal(path`/v1/entities/${'a/b'}/${'?'}`, '/v1/entities/a%2Fb/%3F');
});
