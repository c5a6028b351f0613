// Editors for single values.
import { useState } from 'preact/hooks';
import { Button, Select } from '../../ui/basics';
import { base64Bytes } from '../../ui/format';
import { isObject, parseInput } from '../../ui/json_input';
import type { Json } from '../../ui/json_view';
import { MessageForm } from './form';
import { numberOf, numberProblem, placeholderOf, pretty, type Schema, type ValueType } from './schema';

interface ValueEditorProps {
  schema: Schema;
  type: ValueType;
  // Undefined: left out.
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  label: string;
}

export function ValueEditor(props: ValueEditorProps) {
  const { schema, type, value, onChange, label } = props;
  // What does not look like the type is shown as the JSON that it is.
  if (value !== undefined && !looksLike(value, type)) return <JsonEditor {...props} note="This is not what the field holds, so it is shown as JSON." />;
  switch (type.kind) {
    case 'bool':
      return (
        <label class="form-check">
          <input type="checkbox" checked={value === true} aria-label={label} onChange={(event) => onChange(event.currentTarget.checked)} />
          {value === undefined ? 'left out' : String(value)}
        </label>
      );
    case 'number':
    case 'long':
      return <NumberEditor {...props} />;
    case 'enum':
      return <EnumEditor {...props} />;
    case 'bytes':
      return <BytesEditor {...props} />;
    case 'message':
      return <MessageForm schema={schema} type={type.type} value={isObject(value) ? value : {}} onChange={onChange} path={`${label}.`} />;
    case 'json':
      return <JsonEditor {...props} />;
    case 'text':
      return <TextEditor {...props} />;
  }
}

function looksLike(value: Json, { kind }: ValueType): boolean {
  if (kind === 'json') return true;
  if (kind === 'bool') return typeof value === 'boolean';
  if (kind === 'message') return isObject(value);
  if (kind === 'text' || kind === 'bytes') return typeof value === 'string';
  return typeof value === 'string' || typeof value === 'number';
}

function TextEditor({ value, onChange, label, type }: ValueEditorProps) {
  const text = (value ?? '') as string;
  const common = {
    value: text, 'aria-label': label, placeholder: placeholderOf(type), spellcheck: false, autocomplete: 'off' as const,
    onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  return text.includes('\n') ? <textarea {...common} rows={Math.min(12, text.split('\n').length + 1)} /> : <input type="text" {...common} />;
}

// The text is kept while it means the same number, so that "1." can become "1.5".
function NumberEditor({ value, onChange, label, type }: ValueEditorProps) {
  const kind = type.kind as 'number' | 'long';
  const own = value === undefined ? '' : String(value);
  const [typed, setTyped] = useState('');
  const change = (text: string) => {
    setTyped(text);
    onChange(text === '' ? undefined : numberOf(text, kind));
  };
  const problem = value === undefined ? undefined : numberProblem(value, type.type);
  return (
    <>
      <input
        type="text" inputMode="decimal" value={String(numberOf(typed, kind)) === own ? typed : own} aria-label={label} aria-invalid={problem !== undefined}
        placeholder={placeholderOf(type)} spellcheck={false} autocomplete="off"
        onInput={(event) => change(event.currentTarget.value)}
      />
      {problem && <span class="field-error" role="alert">{problem}</span>}
    </>
  );
}

function EnumEditor({ schema, value, onChange, label, type }: ValueEditorProps) {
  const values = schema.enumValues(type.type);
  const own = value === undefined ? '' : String(value);
  const options = [{ value: '', title: 'Left out' }, ...values.map((each) => ({ value: each, title: each }))];
  if (own !== '' && !values.includes(own)) options.push({ value: own, title: own });
  return <Select label={label} value={own} options={options} onChange={(next) => onChange(next === '' ? undefined : next)} />;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(base64: string): string | undefined {
  try {
    return utf8.decode(base64Bytes(base64));
  } catch {
    return undefined;
  }
}

function base64Of(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (each) => String.fromCharCode(each)).join(''));
}

// Bytes are base64 in JSON. What is text can be written as text.
function BytesEditor({ value, onChange, label }: ValueEditorProps) {
  const base64 = (value ?? '') as string;
  const text = textOf(base64);
  const [asText, setAsText] = useState(false);
  const shown = asText && text !== undefined;
  return (
    <div class="form-bytes">
      <input
        type="text" value={shown ? text : base64} aria-label={`${label}, ${shown ? 'text' : 'base64'}`} placeholder={shown ? 'text' : 'base64'} spellcheck={false} autocomplete="off"
        onInput={({ currentTarget: { value: typed } }) => onChange(shown ? base64Of(typed) : typed)}
      />
      <Button
        small pressed={shown} disabled={text === undefined} onClick={() => setAsText(!asText)}
        title={text === undefined ? 'These bytes are no text, or no base64' : 'Write text; it is sent as its bytes'}
      >
        Text
      </Button>
    </div>
  );
}

// The text is kept while it is not JSON, so that it can be typed.
export function JsonEditor({ value, onChange, label, note }: ValueEditorProps & { note?: string }) {
  const own = value === undefined ? '' : pretty(value);
  const [draft, setDraft] = useState<{ text: string; of: string } | undefined>(undefined);
  const text = draft?.of === own ? draft.text : own;
  const parsed = parseInput(text);
  const typed = (next: string) => {
    const read = parseInput(next);
    const after = next.trim() === '' ? undefined : 'value' in read ? read.value : value;
    setDraft({ text: next, of: after === undefined ? '' : pretty(after) });
    if ('value' in read) onChange(after);
  };
  return (
    <>
      <textarea
        rows={Math.min(10, Math.max(2, text.split('\n').length))} value={text} aria-label={`${label} as JSON`} spellcheck={false}
        placeholder="JSON" onInput={(event) => typed(event.currentTarget.value)}
      />
      {note && <span class="field-hint">{note}</span>}
      {'problem' in parsed && <span class="field-error" role="alert">{parsed.problem}</span>}
    </>
  );
}
