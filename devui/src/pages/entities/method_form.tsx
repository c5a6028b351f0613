import type { MethodJson } from '../../api/contract';
import { Button, Field, Select } from '../../ui/basics';
import { parseInput } from '../../ui/json_input';

// A method and its input. Control and Enter in the input run it.
export function MethodForm(props: {
  methods: MethodJson[]; method: string; input: string; action: string; busy: boolean;
  // Why it cannot be run.
  refused: string | undefined;
  onMethod: (method: string) => void; onInput: (input: string) => void; onRun: () => void;
}) {
  const parsed = parseInput(props.input);
  const problem = 'problem' in parsed ? `This is no JSON: ${parsed.problem}` : undefined;
  const run = (event?: Event) => {
    event?.preventDefault();
    if (problem === undefined && props.refused === undefined && !props.busy) props.onRun();
  };
  return (
    <form class="method-form" onSubmit={run}>
      <div class="method-run">
        <Field label="Method">
          <Select value={props.method} options={props.methods.map(({ name = '' }) => ({ value: name, title: name }))} onChange={props.onMethod} />
        </Field>
        <Button type="submit" kind="primary" icon="play" disabled={problem !== undefined || props.refused !== undefined || props.busy} title={props.refused ?? 'Ctrl Enter in the input'}>
          {props.action}
        </Button>
      </div>
      {props.refused && <p class="muted">{props.refused}</p>}
      <Field label="Input" hint={`JSON of ${props.methods.find(({ name }) => name === props.method)?.inputType ?? 'the input'}`} error={problem}>
        <textarea
          rows={Math.min(10, Math.max(3, props.input.split('\n').length))} value={props.input} spellcheck={false} onInput={(event) => props.onInput(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && run(event)}
        />
      </Field>
    </form>
  );
}
