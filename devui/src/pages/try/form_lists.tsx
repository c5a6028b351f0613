// Editors for repeated fields and maps.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from '../../ui/basics';
import { isObject } from '../../ui/json_input';
import type { Json } from '../../ui/json_view';
import { JsonEditor, ValueEditor } from './form_values';
import { emptyValue, type Schema, valueType } from './schema';

interface ListProps {
  schema: Schema;
  type: string;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  label: string;
}

const NOT_THIS = 'This is not what the field holds, so it is shown as JSON.';

export function ListEditor({ schema, type: name, value, onChange, label }: ListProps) {
  const type = valueType(schema, name);
  if (value !== undefined && !Array.isArray(value)) {
    return <JsonEditor schema={schema} type={type} value={value} onChange={onChange} label={label} note={NOT_THIS} />;
  }
  const items = value ?? [];
  const change = (at: number, next: Json | undefined) =>
    onChange(items.map((each, i) => (i === at ? (next ?? emptyValue(type, schema.enumValues(type.type))) : each)));
  return (
    <div class="form-items">
      {items.map((item, i) => (
        <div class="form-item" key={i} role="group" aria-label={`${label} ${i + 1}`}>
          <div class="form-item-value"><ValueEditor schema={schema} type={type} value={item} onChange={(next) => change(i, next)} label={`${label}[${i}]`} /></div>
          <Button kind="quiet" small icon="trash" label={`Remove ${label}[${i}]`} onClick={() => onChange(items.filter((_, at) => at !== i))} />
        </div>
      ))}
      <Button small icon="plus" title={`Add to ${label}`} onClick={() => onChange([...items, emptyValue(type, schema.enumValues(type.type))])}>
        Add {items.length === 0 ? 'one' : 'another'}
      </Button>
    </div>
  );
}

interface MapProps extends Omit<ListProps, 'type'> {
  types: { key: string; value: string };
}

export function MapEditor({ schema, types, value, onChange, label }: MapProps) {
  const type = valueType(schema, types.value);
  const rows = useRows();
  const renamed = useRef<HTMLInputElement | undefined>(undefined);
  // An element that is moved loses the focus.
  useLayoutEffect(() => {
    renamed.current?.focus();
    renamed.current = undefined;
  });
  if (value !== undefined && !isObject(value)) {
    return <JsonEditor schema={schema} type={type} value={value} onChange={onChange} label={label} note={NOT_THIS} />;
  }
  const entries = Object.entries(value ?? {});
  const set = (next: [string, Json][]) => onChange(Object.fromEntries(next));
  const empty = () => emptyValue(type, schema.enumValues(type.type));
  // Two entries cannot have one key. Taken over when it is all typed: objects order their keys by themselves.
  const rename = (at: number, input: HTMLInputElement) => {
    const taken = entries.some(([each], i) => each === input.value && i !== at);
    if (taken) input.value = entries[at]![0];
    else {
      rows.rename(entries[at]![0], input.value);
      if (document.activeElement === input) renamed.current = input; // by Enter
      set(entries.map(([each, item], i) => [i === at ? input.value : each, item]));
    }
  };
  return (
    <div class="form-items">
      {entries.map(([key, item], i) => (
        <div class="form-item" key={rows.of(key)} role="group" aria-label={`${label}, entry ${i + 1}`}>
          <input
            class="form-key" type="text" value={key} aria-label={`Key ${i + 1} of ${label}`} placeholder={types.key} spellcheck={false} autocomplete="off"
            onChange={(event) => rename(i, event.currentTarget)}
          />
          <div class="form-item-value">
            <ValueEditor schema={schema} type={type} value={item} label={`${label}[${key}]`} onChange={(next) => set(entries.map((each, at) => (at === i ? [key, next ?? empty()] : each)))} />
          </div>
          <Button kind="quiet" small icon="trash" label={`Remove ${label}[${key}]`} onClick={() => set(entries.filter((_, at) => at !== i))} />
        </div>
      ))}
      <Button small icon="plus" title={`Add to ${label}`} onClick={() => set([...entries, [freeKey(types.key, entries.map(([key]) => key)), empty()]])}>
        Add {entries.length === 0 ? 'one' : 'another'}
      </Button>
    </div>
  );
}

// Numbers for the entries by their keys. One that is renamed keeps its own, and so its elements, wherever its new key puts it.
function useRows() {
  const rows = useRef(new Map<string, number>()).current;
  const next = useRef(0);
  const of = (key: string): number => {
    if (!rows.has(key)) rows.set(key, next.current++);
    return rows.get(key)!;
  };
  const rename = (from: string, to: string) => {
    const row = of(from);
    rows.delete(from);
    rows.set(to, row);
  };
  return { of, rename };
}

function freeKey(type: string, taken: string[]): string {
  if (type === 'bool') return taken.includes('true') ? 'false' : 'true';
  for (let i = 1; ; ++i) {
    const key = type === 'string' ? `key${i}` : String(i);
    if (!taken.includes(key)) return key;
  }
}
