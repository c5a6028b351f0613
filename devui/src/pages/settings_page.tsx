// How this browser shows things, how the run was told to run, where its data is, and what all of it is made of.
import type { ComponentChildren } from 'preact';
import type { StatusJson } from '../api/contract';
import type { Route } from '../router';
import { status } from '../state/live';
import { preferences, setPreferences } from '../state/preferences';
import { useStore } from '../state/store';
import { Badge, Card, CopyButton, Loading, Page } from '../ui/basics';
import { CliCommand } from '../ui/cli';
import { formatTime } from '../ui/format';
import '../styles/settings.css';
import { MIT, PARTS } from './settings/licences';
import { RunSettings } from './settings/run_settings';

export function SettingsPage({ route }: { route: Route }) {
  const now = useStore(status);
  return (
    <Page title="Settings" label="Settings">
      <div class="grid-2">
        <ThisBrowser />
        <Data now={now} />
      </div>
      <RunSettings route={route} />
      <About now={now} />
    </Page>
  );
}

function ThisBrowser() {
  const chosen = useStore(preferences);
  return (
    <Card title="This browser">
      <div class="card-body settings-choices">
        <Choice
          label="Colours" name="theme" value={chosen.theme} onChange={(theme) => setPreferences({ theme })}
          options={[{ value: 'system', title: 'As the system' }, { value: 'light', title: 'Light' }, { value: 'dark', title: 'Dark' }]}
        />
        <Choice
          label="Times" name="times" value={chosen.times} onChange={(times) => setPreferences({ times })}
          options={[{ value: 'local', title: 'Local' }, { value: 'utc', title: 'UTC' }]}
          hint={<>Now it is <code>{formatTime(new Date().toISOString()).replace(/\.\d+/, '')}</code>.</>}
        />
        <Choice
          label="Keys" name="keys" value={chosen.keys} onChange={(keys) => setPreferences({ keys })}
          options={[{ value: 'on', title: 'On' }, { value: 'off', title: 'Off' }]}
          hint={<>Letters that go to a page, search or tell all keys.</>}
        />
        <p class="muted">Kept in this browser only. Press <kbd>?</kbd> on any page for its keys.</p>
      </div>
    </Card>
  );
}

function Choice<T extends string>(props: {
  label: string; name: string; value: T; options: { value: T; title: string }[]; onChange: (value: T) => void; hint?: ComponentChildren;
}) {
  return (
    <fieldset class="choice">
      <legend>{props.label}</legend>
      <div class="choice-options">
        {props.options.map(({ value, title }) => (
          <label key={value}>
            <input type="radio" name={props.name} checked={value === props.value} onChange={() => props.onChange(value)} />
            <span>{title}</span>
          </label>
        ))}
      </div>
      {props.hint && <span class="muted">{props.hint}</span>}
    </fieldset>
  );
}

const DURABILITY: Record<string, string> = {
  full: 'full: what was acknowledged survives a loss of power',
  relaxed: 'relaxed: what was acknowledged survives a crash of the emulator, not always a loss of power',
};

function Data({ now }: { now: StatusJson | undefined }) {
  const directory = now?.dataDirectory ?? '';
  return (
    <Card title="Data" actions={now?.readOnly && <Badge title="Started with --read-only">read-only</Badge>}>
      <div class="card-body settings-data">
        {now === undefined ? <Loading what="the status" /> : directory === '' ? (
          <>
            <p>
              This run is <strong>ephemeral</strong>: everything that is stored goes when it ends. Without <code>--ephemeral</code> the journal
              is kept in a directory:
            </p>
            <CliCommand words={['run', '--data-dir', '.cloudstate-dev']} />
          </>
        ) : (
          <>
            <p>
              <code>{directory}</code> <CopyButton text={directory} label="Copy the directory" />
            </p>
            <p class="muted">Durability is {DURABILITY[now.durability ?? ''] ?? now.durability}.</p>
            <p>The journal is one SQLite file. This copies what it holds, also while the emulator runs:</p>
            <CliCommand words={['export', 'backup.journal.gz']} />
            <p>A run that goes on from the copy, in a directory of its own:</p>
            <CliCommand words={['import', 'backup.journal.gz', '--data-dir', 'backup']} />
            <CliCommand words={['run', '--data-dir', 'backup']} />
          </>
        )}
        {now !== undefined && (
          <p class="muted">
            {now.readOnly
              ? 'Started with --read-only: nothing can be changed from this page or by other clients of the admin port.'
              : 'Do others look at this page? With --read-only nobody can change anything by it.'}
          </p>
        )}
      </div>
    </Card>
  );
}

function About({ now }: { now: StatusJson | undefined }) {
  return (
    <Card title="About">
      <div class="card-body about">
        <p>
          <strong>cloudstate-dev {now?.version}</strong>
          {now?.commit && <> · commit <code>{now.commit}</code> <CopyButton text={`cloudstate-dev ${now.version} (${now.commit})`} label="Copy the version" /></>}
          <span class="muted"> · Apache License 2.0</span>
        </p>
        <ul>
          {PARTS.map(({ name, version, use }) => (
            <li key={name}>
              {name} {version} <span class="muted">· MIT License · {use}</span>
            </li>
          ))}
        </ul>
        <details>
          <summary>MIT License of {PARTS.map(({ name }) => name).join(' and ')}</summary>
          <div class="licence">
            {PARTS.map(({ name, copyright }) => <p key={name}>{name}: {copyright}</p>)}
            {MIT.split('\n\n').map((part) => <p key={part}>{part}</p>)}
          </div>
        </details>
        <p class="muted">
          This page comes with the program and loads nothing from elsewhere. <code>cloudstate-dev --version</code> tells the versions of all parts
          of the program.
        </p>
      </div>
    </Card>
  );
}
