import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyIn, mapTypes, numberOf, numberProblem, schemaOf, valueType, withKey } from '../src/pages/try/schema';
import { jsonName, parseInput } from '../src/ui/json_input';

const schema = schemaOf({
  messages: [{ name: 'shop.Item', fields: [{ name: 'unit_price', jsonName: 'unitPrice', type: 'int64' }] }],
  enums: [{ name: 'shop.Size', values: ['SMALL', 'LARGE'] }],
});

test('types have the editor that fits', () => {
  const kinds = ['string', 'sint32', 'fixed64', 'bytes', 'shop.Item', 'shop.Size', 'google.protobuf.Timestamp', 'google.protobuf.Struct',
    'google.protobuf.Int64Value', 'not.Described'].map((type) => valueType(schema, type).kind);
  assert.deepEqual(kinds, ['text', 'number', 'long', 'bytes', 'message', 'enum', 'text', 'json', 'long', 'json']);
});

test('maps tell both of their types', () => {
  assert.deepEqual(mapTypes('map<string, shop.Item>'), { key: 'string', value: 'shop.Item' });
  assert.equal(mapTypes('shop.Item'), undefined);
});

test('numbers too large for JavaScript stay what they are', () => {
  assert.deepEqual(parseInput('{"a": 9007199254740993, "b": -9223372036854775808, "c": 12, "d": 1.5e30, "e": "123456789012345678901"}'),
    { value: { a: '9007199254740993', b: '-9223372036854775808', c: 12, d: 1.5e30, e: '123456789012345678901' } });
});

test('doubles stay what they are', () => {
  assert.deepEqual(parseInput('{"x": 0.30000000000000004, "y": -12345678901234567890.5e-3, "z": 1E+30, "s": "0.30000000000000004"}'),
    { value: { x: 0.1 + 0.2, y: -12345678901234567890.5e-3, z: 1e30, s: '0.30000000000000004' } });
});

test('names of fields in JSON', () => {
  assert.deepEqual(['user_id', 'line_2', 'id'].map(jsonName), ['userId', 'line2', 'id']);
});

test('no text is an empty message, and what is no JSON is told', () => {
  assert.deepEqual(parseInput('  '), { value: {} });
  assert.ok('problem' in parseInput('{"a": }'));
});

test('numbers are checked by their type', () => {
  assert.equal(numberProblem('-1', 'uint32'), 'must not be negative');
  assert.equal(numberProblem('1.5', 'int32'), 'not a whole number');
  assert.equal(numberProblem('18446744073709551615', 'uint64'), undefined);
  assert.equal(numberProblem('-Infinity', 'double'), undefined);
  assert.equal(numberProblem('one', 'float'), 'not a number');
  assert.deepEqual([numberOf('7', 'number'), numberOf('7', 'long'), numberOf('x', 'number')], [7, '7', 'x']);
});

test('a field keeps the name that it has in the JSON', () => {
  const [field] = schema.fields('shop.Item')!;
  assert.equal(keyIn({ unit_price: '1' }, field!), 'unit_price');
  assert.equal(keyIn({}, field!), 'unitPrice');
  assert.deepEqual(withKey({ a: 1, b: 2 }, 'a', undefined), { b: 2 });
});
