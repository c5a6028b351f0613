// What a form needs to know of a message type, and how values of it stand in JSON.
import type { FieldJson, TypeDescriptionJson } from '../../api/contract';
import { type JsonObject, parseInput } from '../../ui/json_input';
import type { Json } from '../../ui/json_view';

// "json" is what has a JSON form that no field of a form fits: it is edited as JSON.
type Kind = 'text' | 'bool' | 'number' | 'long' | 'bytes' | 'enum' | 'message' | 'json';

export interface ValueType {
  kind: Kind;
  // Of enums and messages their full name, else as in a .proto file.
  type: string;
}

export interface Schema {
  fields(message: string): FieldJson[] | undefined;
  enumValues(type: string): string[];
  comment(message: string): string;
}

export function schemaOf(description: TypeDescriptionJson): Schema {
  const messages = new Map((description.messages ?? []).map((each) => [each.name, each]));
  const enums = new Map((description.enums ?? []).map((each) => [each.name, each.values ?? []]));
  return {
    fields: (message) => (messages.has(message) ? (messages.get(message)!.fields ?? []) : undefined),
    enumValues: (type) => enums.get(type) ?? [],
    comment: (message) => messages.get(message)?.comment ?? '',
  };
}

const SCALARS: Record<string, Kind> = {
  string: 'text', bool: 'bool', bytes: 'bytes', double: 'number', float: 'number', int32: 'number', sint32: 'number', uint32: 'number',
  fixed32: 'number', sfixed32: 'number', int64: 'long', sint64: 'long', uint64: 'long', fixed64: 'long', sfixed64: 'long',
};

const WELL_KNOWN: Record<string, Kind> = {
  Timestamp: 'text', Duration: 'text', FieldMask: 'text', StringValue: 'text', BoolValue: 'bool', BytesValue: 'bytes', Int32Value: 'number',
  UInt32Value: 'number', FloatValue: 'number', DoubleValue: 'number', Int64Value: 'long', UInt64Value: 'long', Struct: 'json', Value: 'json',
  ListValue: 'json', Any: 'json',
};
const GOOGLE = 'google.protobuf.';

export function valueType(schema: Schema, type: string): ValueType {
  const scalar = SCALARS[type];
  if (scalar) return { kind: scalar, type };
  const known = type.startsWith(GOOGLE) ? WELL_KNOWN[type.slice(GOOGLE.length)] : undefined;
  if (known) return { kind: known, type };
  if (schema.enumValues(type).length > 0) return { kind: 'enum', type };
  return { kind: schema.fields(type) ? 'message' : 'json', type };
}

// Of "map<string, shop.Item>".
export function mapTypes(type: string): { key: string; value: string } | undefined {
  const [, key, value] = /^map<(\w+), (.+)>$/.exec(type) ?? [];
  return key === undefined || value === undefined ? undefined : { key, value };
}

export const placeholderOf = ({ kind, type }: ValueType): string => {
  if (type === `${GOOGLE}Timestamp`) return '2026-01-31T12:00:00Z';
  if (type === `${GOOGLE}Duration`) return '1.5s';
  if (type === `${GOOGLE}FieldMask`) return 'name,address.city';
  return kind === 'long' || kind === 'number' ? '0' : '';
};

// What a value of this type begins as.
export function emptyValue({ kind }: ValueType, enumValues: string[]): Json {
  switch (kind) {
    case 'bool':
      return false;
    case 'number':
      return 0;
    case 'long':
      return '0';
    case 'enum':
      return enumValues[0] ?? 0;
    case 'message':
    case 'json':
      return {};
    default:
      return '';
  }
}

// What a person typed into a field of numbers. What is no number is kept as it is: the emulator tells what is wrong with it.
export function numberOf(text: string, kind: 'number' | 'long'): Json {
  const number = Number(text);
  return kind === 'long' || text.trim() === '' || !Number.isFinite(number) ? text : number;
}

export function numberProblem(value: Json, type: string): string | undefined {
  const text = String(value).trim();
  if (/^(float|double|google\.protobuf\.(Float|Double)Value)$/.test(type)) {
    return text !== '' && (Number.isFinite(Number(text)) || /^(NaN|-?Infinity)$/.test(text)) ? undefined : 'not a number';
  }
  if (!/^-?\d+$/.test(text)) return 'not a whole number';
  return text.startsWith('-') && /^(u|fixed|google\.protobuf\.U)/.test(type) ? 'must not be negative' : undefined;
}

// Which of a field's two names an object has; the JSON name if neither.
export const keyIn = (object: JsonObject, field: FieldJson): string =>
  field.name !== undefined && field.name in object ? field.name : (field.jsonName ?? '');

export function withKey(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _, ...rest } = object;
  return rest;
}

export const pretty = (value: Json): string => JSON.stringify(value, null, 2);
export const prettyText = (json: string): string => {
  const parsed = parseInput(json);
  return 'value' in parsed ? pretty(parsed.value) : json;
};
