// How `cloudstate-dev run` was told to run.
import type { SettingJson, SettingsJson } from '../../api/contract';
import { get } from '../../api/client';
import { type Route, setQuery } from '../../router';
import { useQuery } from '../../state/use_query';
import { Badge, Button, Card, CopyButton, ErrorBox, Loading, SearchInput } from '../../ui/basics';
import { plural } from '../../ui/format';
import { shellWord } from '../../ui/shell';

const differs = ({ value, defaultValue }: SettingJson) => (value ?? '') !== (defaultValue ?? '');

function fits({ flag, value, environment, help }: SettingJson, search: string): boolean {
  return [flag, value, environment, help].some((text) => (text ?? '').toLowerCase().includes(search.toLowerCase()));
}

// As it would stand on a command line.
function asWords({ flag = '', value = '', defaultValue }: SettingJson): string {
  if (!flag.startsWith('-')) return value === '' ? flag : `-- ${value}`;
  if (defaultValue === 'false') return flag;
  return value === '' ? flag : `${flag} ${shellWord(value)}`;
}

export function RunSettings({ route }: { route: Route }) {
  const { data, error, reload } = useQuery('settings', (signal) => get<SettingsJson>('/v1/settings', {}, signal));
  const search = route.query.get('q') ?? '';
  const shown = (data?.settings ?? []).filter((each) => fits(each, search));
  const changed = shown.filter(differs);
  return (
    <Card
      title="This run" class="run-settings"
      actions={<SearchInput label="Search settings" placeholder="Flag, variable or words" value={search} onChange={(q) => setQuery({ q })} />}
    >
      {error ? <div class="card-body"><ErrorBox error={error} onRetry={reload} /></div> : data === undefined ? <Loading what="settings" /> : (
        <>
          <p class="settings-note">
            How <code>cloudstate-dev run</code> was started: by flags, variables or a file. What is written here holds until it ends; start it
            anew to change it.
          </p>
          <SettingTable title="Other than the default" settings={changed} />
          <SettingTable title="As the default" settings={shown.filter((each) => !differs(each))} />
          {shown.length === 0 && (
            <p class="settings-note">
              No setting fits “{search}”. <Button small onClick={() => setQuery({ q: null })}>Show all</Button>
            </p>
          )}
        </>
      )}
    </Card>
  );
}

function SettingTable({ title, settings }: { title: string; settings: SettingJson[] }) {
  if (settings.length === 0) return null;
  return (
    <div class="settings-group">
      <h3>
        {title} <span class="muted">{plural(settings.length, 'setting')}</span>
      </h3>
      <table aria-label={title}>
        <colgroup>
          <col class="settings-flags" />
          <col class="settings-values" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Flag</th>
            <th scope="col">Value</th>
            <th scope="col">What it does</th>
          </tr>
        </thead>
        <tbody>
          {settings.map((setting) => (
            <SettingRow key={setting.flag} {...setting} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SettingRow(setting: SettingJson) {
  const { flag = '', value = '', defaultValue = '', environment = '', help } = setting;
  const changed = differs(setting);
  return (
    <tr>
      <th scope="row">
        <span class="setting-flag">
          <code>{flag}</code>
          <CopyButton text={asWords(setting)} label={`Copy ${flag}`} />
        </span>
      </th>
      <td>
        {value === '' ? <span class="muted">none</span> : <code class={changed ? 'setting-changed' : undefined}>{value}</code>}
        {changed && <span class="setting-default">{defaultValue === '' ? 'default: none' : <>default: <code>{defaultValue}</code></>}</span>}
      </td>
      <td>
        {help}
        {environment !== '' && <Badge title="The environment variable that sets it as well">{environment}</Badge>}
      </td>
    </tr>
  );
}
