// A form for a message, made from its description. It changes what it knows and keeps everything else of the JSON.
import type { FieldJson } from '../../api/contract';
import { Badge, Button, Select } from '../../ui/basics';
import { shortName } from '../../ui/format';
import type { JsonObject } from '../../ui/json_input';
import type { Json } from '../../ui/json_view';
import { ListEditor, MapEditor } from './form_lists';
import { ValueEditor } from './form_values';
import { emptyValue, keyIn, mapTypes, type Schema, valueType, withKey } from './schema';

interface MessageFormProps {
  schema: Schema;
  type: string;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  // Names of fields that make up the entity's key.
  keyFields?: string[];
  // In front of the labels of what is within.
  path?: string;
}

export function MessageForm(props: MessageFormProps) {
  const { schema, type, value, path = '' } = props;
  const fields = schema.fields(type) ?? [];
  const known = new Set(fields.flatMap(({ name, jsonName }) => [name, jsonName]));
  const others = Object.keys(value).filter((key) => !known.has(key));
  const oneofs = new Set<string>();
  return (
    <div class="form">
      {fields.length === 0 && <p class="muted">This message has no fields.</p>}
      {fields.map((field) => {
        if (!field.oneof) return <FieldEditor key={field.name} {...props} field={field} />;
        if (oneofs.has(field.oneof)) return null;
        oneofs.add(field.oneof);
        return <OneofEditor key={`oneof ${field.oneof}`} {...props} name={field.oneof} fields={fields.filter(({ oneof }) => oneof === field.oneof)} />;
      })}
      {others.length > 0 && (
        <p class="form-others">
          Also in the JSON{path && ` of ${path}`}, and sent as it is: <code>{others.join(', ')}</code>. {shortName(type)} has no such field.
        </p>
      )}
    </div>
  );
}

function OneofEditor(props: MessageFormProps & { name: string; fields: FieldJson[] }) {
  const { schema, value, name, fields, onChange, path = '' } = props;
  const chosen = fields.find((field) => keyIn(value, field) in value);
  const choose = (wanted: string) => {
    let next = value;
    for (const field of fields) next = withKey(next, keyIn(next, field), undefined);
    const field = fields.find((each) => each.name === wanted);
    if (field) next = withKey(next, field.jsonName ?? '', startOf(schema, field));
    onChange(next);
  };
  return (
    <fieldset class="form-group">
      <legend>{name} <span class="form-type">one of these</span></legend>
      <Select
        label={`Which of ${path}${name}`} value={chosen?.name ?? ''} onChange={choose}
        options={[{ value: '', title: 'None' }, ...fields.map(({ name: each = '' }) => ({ value: each, title: each }))]}
      />
      {chosen && <FieldEditor {...props} field={chosen} key={chosen.name} withinOneof />}
    </fieldset>
  );
}

function startOf(schema: Schema, field: FieldJson): Json {
  if (field.repeated) return [];
  if (mapTypes(field.type ?? '')) return {};
  const type = valueType(schema, field.type ?? '');
  return emptyValue(type, schema.enumValues(type.type));
}

function FieldEditor(props: MessageFormProps & { field: FieldJson; withinOneof?: boolean }) {
  const { schema, value, field, onChange, keyFields = [], path = '', withinOneof } = props;
  const key = keyIn(value, field);
  const own = value[key];
  const set = (next: Json | undefined) => onChange(withKey(value, key, next));
  const label = `${path}${field.name}`;
  const isKey = keyFields.includes(field.name ?? '');
  const map = mapTypes(field.type ?? '');
  const plain = !field.repeated && !map;
  const type = valueType(schema, field.type ?? '');
  const group = !plain || type.kind === 'message';
  const head = (
    <span class="form-label">
      {field.name}
      <span class="form-type">{field.repeated ? 'repeated ' : ''}{map ? `map of ${map.key} to ${shortName(map.value)}` : shortName(field.type)}</span>
      {isKey && <Badge tone="accent" title="What this field holds says which entity the command goes to">entity key</Badge>}
      <span class="spacer" />
      {own !== undefined && !withinOneof && (
        <Button kind="quiet" small icon="close" label={`Leave out ${label}`} onClick={() => set(undefined)} />
      )}
    </span>
  );
  let editor;
  if (field.repeated) editor = <ListEditor schema={schema} type={field.type ?? ''} value={own} onChange={set} label={label} />;
  else if (map) editor = <MapEditor schema={schema} types={map} value={own} onChange={set} label={label} />;
  else if (type.kind === 'message' && own === undefined) {
    editor = <Button small icon="plus" onClick={() => set({})} title={`Add ${label}`}>Add {field.name}</Button>;
  } else editor = <ValueEditor schema={schema} type={type} value={own} onChange={set} label={label} />;
  const comment = field.comment && <span class="form-comment">{field.comment}</span>;
  if (group) {
    return (
      <div class={withinOneof ? 'form-group form-plain' : 'form-group'} role="group" aria-label={label}>
        {head}
        {comment}
        {editor}
      </div>
    );
  }
  return <div class="form-field">{head}{comment}{editor}</div>;
}

