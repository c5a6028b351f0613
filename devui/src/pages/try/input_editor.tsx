// The input as a form or as JSON: both show the same text.
import { useMemo } from 'preact/hooks';
import { get, path } from '../../api/client';
import type { MethodJson, TypeDescriptionJson } from '../../api/contract';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useLast, useQuery } from '../../state/use_query';
import { parseRoute, setQuery } from '../../router';
import { Button, ErrorBox, Loading, Tabs } from '../../ui/basics';
import { isObject, parseInput } from '../../ui/json_input';
import type { Draft } from './drafts';
import { MessageForm } from './form';
import { ValueEditor } from './form_values';
import { pretty, prettyText, schemaOf, valueType } from './schema';

interface InputProps {
  method: MethodJson;
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
}

const TABS = [{ key: 'form', title: 'Form' }, { key: 'json', title: 'JSON' }];

export function InputEditor({ method, draft, onChange }: InputProps) {
  const view = parseRoute(location.hash).query.get('input') === 'json' ? 'json' : 'form';
  const parsed = parseInput(draft.text);
  return (
    <Tabs label="Input as" tabs={TABS} active={view} onSelect={(key) => setQuery({ input: key === 'json' ? key : null })}>
      {view === 'json' ? (
        <div class="try-json">
          <textarea
            aria-label="Input as JSON" value={draft.text} spellcheck={false} rows={Math.min(24, Math.max(8, draft.text.split('\n').length + 1))}
            aria-invalid={'problem' in parsed} onInput={(event) => onChange({ text: event.currentTarget.value })}
          />
          <div class="toolbar">
            {'problem' in parsed && <span class="field-error" role="alert">{parsed.problem}</span>}
            <span class="spacer" />
            <Button kind="quiet" small onClick={() => onChange({ text: prettyText(draft.text) })}>Tidy up</Button>
            <Button kind="quiet" small onClick={() => onChange({ text: prettyText(method.example || '{}') })}>Example</Button>
          </div>
        </div>
      ) : <InputForm key={method.inputType} method={method} draft={draft} onChange={onChange} />}
    </Tabs>
  );
}

function InputForm({ method, draft, onChange }: InputProps) {
  const type = method.inputType ?? '';
  const since = useStore(status)?.userFunction?.since ?? '';
  const { data: loaded, error, reload } = useQuery(`type ${type} since ${since}`, (signal) => get<TypeDescriptionJson>(path`/v1/types/${type}`, {}, signal));
  // Who types while the user function is started anew goes on in the form that there is.
  const data = useLast(loaded);
  const schema = useMemo(() => data && schemaOf(data), [data]);
  const parsed = useMemo(() => parseInput(draft.text), [draft.text]);
  if (error && !schema) return <ErrorBox error={error} onRetry={reload} />;
  if (!schema) return <Loading what="the form" />;
  if ('problem' in parsed) {
    return <p class="form-others" role="alert">The JSON cannot be read, so there is no form for it: {parsed.problem}</p>;
  }
  const known = valueType(schema, type);
  // A well-known type has a JSON form of its own.
  if (known.kind !== 'message' || !isObject(parsed.value)) {
    return <ValueEditor schema={schema} type={known} value={parsed.value} label="input" onChange={(value) => onChange({ text: value === undefined ? '' : pretty(value) })} />;
  }
  const comment = schema.comment(type);
  return (
    <>
      {comment && <p class="form-comment">{comment}</p>}
      <MessageForm schema={schema} type={type} value={parsed.value} keyFields={method.keyFields} onChange={(value) => onChange({ text: pretty(value) })} />
    </>
  );
}
