// The charts' figures as text.
import type { ComponentChildren } from 'preact';
import type { CallFiguresJson, EntityFiguresJson, SampleJson } from '../../api/contract';
import { durationMs, formatBytes, formatCount, formatDuration, formatRate, num } from '../../ui/format';
import { isStored, rate, sum } from './figures';

function Figures(props: { caption: string; heads: string[]; rows: { key: string; kind?: string; cells: ComponentChildren[] }[] }) {
  return (
    <div class="figures" tabIndex={0} role="region" aria-label={props.caption}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>{props.heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {props.rows.map(({ key, kind, cells }) => (
            <tr key={key}>
              <th scope="row">
                <code>{key}</code> {kind && <span class="muted">{kind}</span>}
              </th>
              {cells.map((cell, i) => <td key={i}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const names = (shown: SampleJson[], of: (sample: SampleJson) => object | undefined) =>
  [...new Set(shown.flatMap((sample) => Object.keys(of(sample) ?? {})))].sort();

const time = (duration: string | undefined) => (duration === undefined ? '–' : formatDuration(durationMs(duration)));

export function ServiceTable({ shown, service, range }: { shown: SampleJson[]; service: string; range: string }) {
  const last = shown.at(-1);
  const rows = names(shown, ({ services }) => services).filter((name) => service === '' || name === service).map((name) => {
    const all = shown.map(({ services }) => services?.[name]).filter((each): each is CallFiguresJson => each !== undefined);
    const total = (of: (each: CallFiguresJson) => string | number | undefined) => sum(all, (each) => num(of(each)));
    const latest = all.filter(({ p50 }) => p50 !== undefined).at(-1);
    const longest = Math.max(0, ...all.map((each) => durationMs(each.longest)));
    const failed = total((each) => each.failed);
    return {
      key: name,
      cells: [
        formatRate(last === undefined ? 0 : rate(last, last.services?.[name]?.calls)), formatCount(total((each) => each.calls)),
        <span class={failed > 0 ? 'figures-bad' : undefined}>{formatCount(failed)}</span>,
        time(latest?.p50), time(latest?.p90), time(latest?.p99), longest === 0 ? '–' : formatDuration(longest),
      ],
    };
  });
  if (rows.length === 0) return <p class="figures-none muted">No calls in the {range}.</p>;
  return (
    <Figures
      caption={`Calls of clients. Percentiles are those of the newest second with calls, the other figures those of the ${range}.`}
      heads={['Service', 'Now', 'Calls', 'Failed', 'p50', 'p90', 'p99', 'Longest']} rows={rows}
    />
  );
}

export function EntityTable({ shown, entity, range }: { shown: SampleJson[]; entity: string; range: string }) {
  const rows = names(shown, ({ entities }) => entities).filter((name) => entity === '' || name === entity).map((name) => {
    const all = shown.map(({ entities }) => entities?.[name]).filter((each): each is EntityFiguresJson => each !== undefined);
    const count = (field: Exclude<keyof EntityFiguresJson, 'kind' | 'processing' | 'storing' | 'loading'>) =>
      sum(all, (each) => num(each[field]));
    const stored = (field: 'events' | 'eventBytes') => sum(all.filter(isStored), (each) => num(each[field]));
    const ms = (field: 'processing' | 'storing') => sum(all, (each) => durationMs(each[field]));
    const commands = count('commands');
    const each = (whole: number) => (commands === 0 || whole === 0 ? '–' : formatDuration(whole / commands));
    const failed = count('failedCommands');
    return {
      key: name,
      kind: all.at(-1)?.kind,
      cells: [
        formatCount(commands), <span class={failed > 0 ? 'figures-bad' : undefined}>{formatCount(failed)}</span>,
        each(ms('processing')), each(ms('storing')), formatCount(stored('events')), formatBytes(stored('eventBytes')),
        formatCount(count('snapshots')), formatCount(count('activated')), formatCount(count('loadedEvents')),
      ],
    };
  });
  if (rows.length === 0) return <p class="figures-none muted">No commands in the {range}.</p>;
  return (
    <Figures
      caption={`Commands to entities and actions in the ${range}, with those that side effects and forwards caused. Times are for one command, on average.`}
      heads={['Stored as', 'Commands', 'Failed', 'User function', 'Journal', 'Events', 'Bytes', 'Snapshots', 'Activated', 'Loaded events']}
      rows={rows}
    />
  );
}
