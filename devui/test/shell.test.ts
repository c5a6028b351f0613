import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { callWords, curlLine, grpcurlLine, httpRequest, programLine, type ShellCall, shellWord } from '../src/ui/shell';

// The words that a shell makes of a line.
const words = (line: string) =>
  execFileSync('sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], { encoding: 'utf8' }).split('\0').slice(0, -1);

const callLine = (of: ShellCall, admin?: string) => programLine(callWords(of), admin);
const CLIENT = '127.0.0.1:9000';
const call: ShellCall = { service: 'shop.Cart', method: 'Add', messages: ['{"id": "me"}'], headers: [] };

test('a shell reads every word as it was', () => {
  const nasty = ["it's", '$HOME', '`id`', '"', '\\', '', ' ', 'a\nb', '!!', '*', '~', 'ü €', "'';rm -rf /'", '#', '&&', '$(id)', '{a,b}', '[x]', '<>'];
  for (const each of nasty) assert.deepEqual(words(shellWord(each)), [each]);
  assert.equal(shellWord('shop.Cart/Add'), 'shop.Cart/Add');
});

test('cloudstate-dev call', () => {
  assert.equal(callLine(call), `cloudstate-dev call shop.Cart/Add '{"id":"me"}'`);
  const more = { ...call, messages: [`{"text": "it's"}`, '{}'], headers: [{ name: 'x-user', value: "o'hara" }], deadline: '0.5s', node: 2 };
  assert.deepEqual(words(callLine(more, '127.0.0.1:9501')), [
    'cloudstate-dev', 'call', 'shop.Cart/Add', `{"text":"it's"}`, '{}', '-H', "x-user: o'hara", '--deadline', '0.5s', '--node', '2', '--admin', '127.0.0.1:9501',
  ]);
  assert.equal(callLine(call, '0.0.0.0:9001').includes('--admin'), false);
  assert.equal(programLine(['nodes', 'add'], '127.0.0.1:9501'), 'cloudstate-dev nodes add --admin 127.0.0.1:9501');
  assert.equal(programLine(['run', '--', 'node', "it's.js"], '127.0.0.1:9501'), "cloudstate-dev run -- node 'it'\\''s.js'");
});

test('a line has the very numbers and texts of the input', () => {
  const exact = { ...call, messages: ['{"id": 9007199254740993, "x": 0.30000000000000004, "y": 1.0, "text": "a  \\" b"}'] };
  const json = '{"id":9007199254740993,"x":0.30000000000000004,"y":1.0,"text":"a  \\" b"}';
  assert.ok(words(callLine(exact)).includes(json));
  assert.ok(words(grpcurlLine(exact, CLIENT)).includes(json));
  const get = { name: 'Get', http: [{ method: 'GET', path: '/carts/{id}' }] };
  assert.equal(curlLine({ ...call, messages: ['{"id": 9007199254740993}'] }, get, CLIENT), `curl http://${CLIENT}/carts/9007199254740993`);
});

test('grpcurl', () => {
  const more = { ...call, messages: ['{"a":1}', '{"a":2}'], headers: [{ name: 'x-user', value: 'me' }], deadline: '1.5s', node: 3 };
  assert.deepEqual(words(grpcurlLine(more, '[::]:9000')), [
    'grpcurl', '-plaintext', '-H', 'x-user: me', '-H', 'x-cloudstate-node: 3', '-max-time', '1.5', '-d', '{"a":1} {"a":2}', CLIENT, 'shop.Cart/Add',
  ]);
});

const add = { name: 'Add', http: [{ method: 'POST', path: '/carts/{user_id}/items', body: '*' }, { method: 'POST', path: '/shop.Cart/Add', body: '*' }] };

test('curl takes the route that the method was given', () => {
  const line = curlLine({ ...call, messages: ['{"userId": "a/b", "n": 1}'], deadline: '0.25s' }, add, CLIENT);
  assert.deepEqual(words(line!), [
    'curl', '-H', 'content-type: application/json', '-d', '{"n":1}', '-H', 'grpc-timeout: 250m', `http://${CLIENT}/carts/a%2Fb/items`,
  ]);
});

test('curl falls back to the route that every method has', () => {
  for (const json of ['{"n": 1}', '{"userId": ""}', '{"userId": {}}']) {
    assert.match(curlLine({ ...call, messages: [json] }, add, CLIENT)!, /\/shop\.Cart\/Add$/);
  }
  assert.match(curlLine({ ...call, messages: ['"a string"'] }, add, CLIENT)!, /-d '"a string"' .*\/shop\.Cart\/Add$/);
});

test('curl reads with GET, streams without a buffer, and cannot send a stream', () => {
  const get = { name: 'Get', serverStreaming: true, http: [{ method: 'GET', path: '/carts/{user_id}', body: '' }] };
  assert.equal(curlLine({ ...call, messages: ['{"user_id":"me","page":{"size":2},"tags":["a","b c"]}'] }, get, CLIENT),
    `curl -N 'http://${CLIENT}/carts/me?page.size=2&tags=a&tags=b+c'`);
  assert.equal(curlLine(call, { name: 'Talk', clientStreaming: true }, CLIENT), undefined);
});

test('routes carry what they can', () => {
  assert.deepEqual(httpRequest({ method: 'PUT', path: '/items/{item.id}', body: 'item' }, { item: { id: 7, name: 'x' }, dry: true }),
    { method: 'PUT', target: '/items/7?dry=true', body: '{"name":"x"}' });
  assert.deepEqual(httpRequest({ method: 'GET', path: '/files/{path=**}' }, { path: 'a b/c' }), { method: 'GET', target: '/files/a%20b/c' });
  assert.equal(httpRequest({ method: 'GET', path: '/files/{path=docs/*}' }, { path: 'docs/c' }), undefined);
  assert.equal(httpRequest({ method: 'GET', path: '/items' }, { list: [{ a: 1 }] }), undefined);
});
