// What goes with the input: metadata, a deadline, and the node that takes the call.
import { get } from '../../api/client';
import type { ListNodesResponseJson } from '../../api/contract';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useQuery } from '../../state/use_query';
import { Button, Field, Select } from '../../ui/basics';
import type { Draft, Header } from './drafts';

export function Options({ draft, onChange }: { draft: Draft; onChange: (changes: Partial<Draft>) => void }) {
  const { headers, deadline, node } = draft;
  const set = (at: number, changes: Partial<Header>) => onChange({ headers: headers.map((each, i) => (i === at ? { ...each, ...changes } : each)) });
  return (
    <section class="try-options" aria-label="Options">
      <h3>Options</h3>
      <div class="try-option-row">
        <Field label="Deadline">
          <input type="text" size={8} placeholder="none" value={deadline} spellcheck={false} autocomplete="off" title="Such as 500ms or 5s" onInput={(event) => onChange({ deadline: event.currentTarget.value })} />
        </Field>
        <NodeChoice node={node} onChange={(next) => onChange({ node: next })} />
        <Button small icon="plus" onClick={() => onChange({ headers: [...headers, { name: '', value: '' }] })}>Add metadata</Button>
      </div>
      {headers.map(({ name, value }, i) => (
        <div class="try-header" key={i}>
          <input type="text" placeholder="name" aria-label={`Name of metadata ${i + 1}`} value={name} spellcheck={false} autocomplete="off" onInput={(event) => set(i, { name: event.currentTarget.value })} />
          <input
            type="text" placeholder={name.endsWith('-bin') ? 'base64' : 'value'} aria-label={`Value of metadata ${i + 1}`} value={value} spellcheck={false} autocomplete="off"
            onInput={(event) => set(i, { value: event.currentTarget.value })}
          />
          <Button kind="quiet" small icon="trash" label={`Remove metadata ${i + 1}`} onClick={() => onChange({ headers: headers.filter((_, at) => at !== i) })} />
        </div>
      ))}
    </section>
  );
}

function NodeChoice({ node, onChange }: { node: number; onChange: (node: number) => void }) {
  const several = (useStore(status)?.nodes ?? 1) > 1;
  const { data } = useQuery(several ? 'nodes to call' : undefined, (signal) => get<ListNodesResponseJson>('/v1/nodes', {}, signal), 5_000);
  if (!several && node === 0) return null;
  const options = (data?.nodes ?? []).map((each) => ({ value: String(each.node), title: `Node ${each.node}${each.state === 'up' ? '' : ` (${each.state})`}` }));
  if (node !== 0 && !options.some(({ value }) => value === String(node))) options.push({ value: String(node), title: `Node ${node}` });
  return (
    <Field label="Taken by">
      <Select value={String(node)} options={[{ value: '0', title: 'Any node' }, ...options]} onChange={(value) => onChange(Number(value))} />
    </Field>
  );
}
