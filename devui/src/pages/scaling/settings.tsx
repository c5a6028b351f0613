// What decides: every setting of the mode, to be changed in place and taken along.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ScalingSettingJson, ScalingStateJson } from '../../api/contract';
import { type Route, setQuery } from '../../router';
import { attempt, setSettings } from '../../state/steering';
import { Badge, Button, CopyButton } from '../../ui/basics';
import { CopyDeed, useRefusal } from '../../ui/deed';
import { plural } from '../../ui/format';
import { changeable, differs, knativeYaml, matters } from './data';

export function Settings({ route, state, done }: { route: Route; state: ScalingStateJson; done: () => void }) {
  const all = route.query.get('all') === '1';
  const mode = state.mode ?? '';
  const settings = state.settings ?? [];
  const own = settings.filter((each) => matters(each, mode));
  const shown = all ? settings : own;
  const changed = own.filter(differs);
  const settable = changed.filter(changeable);
  const yaml = knativeYaml(changed);
  return (
    <div class="sc-settings">
      <div class="toolbar">
        <span class="muted">
          {plural(own.length, 'setting')} of mode {mode}, {changed.length === 0 ? 'all as by default' : `${changed.length} other than the default`}. Changes hold from the next tick
          on, until the emulator ends.
        </span>
        <span class="spacer" />
        <Button small pressed={all} onClick={() => setQuery({ all: all ? null : 1 })}>Other modes too</Button>
        {settable.length > 0 && (
          <CopyButton text={setSettings(valuesOf(settable)).command} label="Copies a command that sets all that are other than the default and can be changed">Copy as a command</CopyButton>
        )}
        {mode === 'knative' && yaml !== '' && <CopyButton text={yaml} label="Copies the annotations, and what else Knative has to be told">Copy for Knative</CopyButton>}
      </div>
      <div class="sc-scroll" tabIndex={0} role="group" aria-label="Table of settings">
        <table aria-label="Settings">
          <thead>
            <tr>
              <th scope="col">Flag</th>
              <th scope="col">Value</th>
              <th scope="col">Default</th>
              <th scope="col">What it does</th>
              <th scope="col">Environment, Knative</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((setting) => <Row key={setting.name} setting={setting} foreign={!matters(setting, mode)} done={done} />)}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const valuesOf = (settings: ScalingSettingJson[]) => Object.fromEntries(settings.map(({ name = '', value = '' }) => [name, value]));

function Row({ setting, foreign, done }: { setting: ScalingSettingJson; foreign: boolean; done: () => void }) {
  const { name = '', value = '', defaultValue = '', environment, knativeName, help, modes = [] } = setting;
  const changed = differs(setting);
  return (
    <tr class={foreign ? 'sc-foreign' : undefined}>
      <th scope="row">
        <code>--{name}</code> <CopyDeed deed={changeable(setting) ? setSettings({ [name]: value }) : undefined} />
        {foreign && <span class="muted sc-modes">of {modes.join(', ')}</span>}
      </th>
      <td><Value setting={setting} done={done} /></td>
      <td>{changed ? <><code>{defaultValue || 'none'}</code> <Badge tone="accent" title="Its value is other than the default">changed</Badge></> : <span class="muted">same</span>}</td>
      <td>{help}</td>
      <td class="sc-names">
        {environment && <code title="The environment variable that the published proxy takes it from">{environment}</code>}
        {knativeName && <code title="What Knative calls it">{knativeName}</code>}
      </td>
    </tr>
  );
}

// The value, or a field to change it.
function Value({ setting, done }: { setting: ScalingSettingJson; done: () => void }) {
  const { name = '', value = '' } = setting;
  const [open, setOpen] = useState(false);
  const refusal = useRefusal();
  const place = useRef<HTMLDivElement>(null);
  // The field goes, and the focus with it.
  const close = () => {
    setOpen(false);
    window.setTimeout(() => place.current?.querySelector('button')?.focus());
  };
  return (
    <div ref={place}>
      {open ? <ValueForm setting={setting} close={close} done={done} /> : (
        <div class="sc-value">
          <code class={differs(setting) ? 'setting-changed' : undefined}>{value || 'none'}</code>
          {changeable(setting)
            ? <Button kind="quiet" small label={`Change ${name}`} disabled={refusal !== undefined} title={refusal ?? `Change ${name}`} onClick={() => setOpen(true)}>Change</Button>
            : <span class="muted" title={`It holds from the start on: give --${name} to cloudstate-dev run`}>fixed at the start</span>}
        </div>
      )}
    </div>
  );
}

function ValueForm({ setting, close, done }: { setting: ScalingSettingJson; close: () => void; done: () => void }) {
  const { name = '', value = '', defaultValue = '' } = setting;
  const [typed, setTyped] = useState(value);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  // The button goes, so the field has the focus.
  const takeDefault = () => {
    setTyped(defaultValue);
    field.current?.focus();
  };
  const save = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const error = await attempt(setSettings({ [name]: typed.trim() }));
    setBusy(false);
    setProblem(error?.message);
    if (error !== undefined) return;
    close();
    done();
  };
  return (
    <form class="sc-edit" onSubmit={(event) => void save(event)} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="sc-edit-line">
        <input
          ref={field} value={typed} aria-label={name} aria-invalid={problem !== undefined} spellcheck={false} autocomplete="off"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" small kind="primary" disabled={busy}>Save</Button>
        <Button small onClick={close}>Cancel</Button>
      </div>
      {typed !== defaultValue && <button type="button" class="link" onClick={takeDefault}>default: {defaultValue || 'none'}</button>}
      {problem && <span class="field-error" role="alert">{problem}</span>}
    </form>
  );
}
