// What the emulator and the user function have to say, as it comes.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLineJson } from '../api/contract';
import { type Route, setQuery } from '../router';
import { status } from '../state/live';
import { useStore } from '../state/store';
import { Badge, Button, CopyButton, EmptyState, Loading, Page, SearchInput, Select, Time } from '../ui/basics';
import { saveFile } from '../ui/download';
import { formatCount, formatTime, num, plural } from '../ui/format';
import { type Column, ROW_HEIGHT, VirtualTable } from '../ui/virtual_table';
import '../styles/logs.css';
import { KEPT_LINES, useLogLines } from './logs/use_log_lines';

const SOURCES = [
  { value: '', title: 'Emulator and user function' },
  { value: 'emulator', title: 'Emulator' },
  { value: 'user function', title: 'User function' },
];
const LEVELS = [
  { value: '', title: 'All levels' },
  { value: 'info', title: 'Info and worse' },
  { value: 'warning', title: 'Warnings and errors' },
  { value: 'error', title: 'Errors' },
];

const Level = ({ level }: { level: string | undefined }) =>
  level === 'error' ? <Badge tone="bad">error</Badge> : level === 'warning' ? <Badge tone="warn">warning</Badge> : <span class="muted">{level}</span>;

const COLUMNS: Column<LogLineJson>[] = [
  { key: 'time', title: 'Time', width: '132px', render: ({ time }) => <Time time={time} /> },
  { key: 'source', title: 'Source', width: '112px', render: ({ source }) => <span class="muted">{source}</span> },
  { key: 'level', title: 'Level', width: '84px', render: ({ level }) => <Level level={level} /> },
  { key: 'text', title: 'Text', width: 'minmax(200px, 1fr)', render: ({ text }) => <code>{text}</code> },
];

const asText = (lines: LogLineJson[]) =>
  lines.map(({ time, source, level, text }) => `${formatTime(time)} ${source} ${level}: ${text}`).join('\n') + '\n';

const download = (lines: LogLineJson[]) => saveFile('cloudstate-dev.log', [asText(lines)], 'text/plain');

// Where the line with this number is; of several runs, the newest one's.
function newestWith(lines: LogLineJson[], wanted: string): number {
  for (let i = lines.length - 1; i >= 0; --i) if (String(lines[i]!.number) === wanted) return i;
  return -1;
}

// Numbers begin anew with each run.
const isEarlier = (lines: LogLineJson[], at: number) => lines.slice(at + 1).some(({ number }) => num(number) <= num(lines[at]?.number));

export function LogsPage({ route }: { route: Route }) {
  const filter = {
    source: route.query.get('source') ?? '', level: route.query.get('level') ?? '', contains: route.query.get('contains') ?? '',
  };
  const [following, setFollowing] = useState(true);
  const [jump, setJump] = useState<number>();
  const wanted = route.query.get('line');
  const { lines, answered, held, settled } = useLogLines(filter, following);
  // Each run of the emulator counts its lines from 1.
  const run = route.query.get('run');
  const started = useStore(status)?.started;
  const inThisRun = wanted !== null && (run === null || run === started);
  // It stays in the panel when the list has gone on without it.
  const kept = useRef<{ line: LogLineJson; address: string }>();
  const address = `${wanted} ${run}`;
  const before = wanted !== null && kept.current?.address === address ? kept.current.line : undefined;
  const still = before === undefined ? -1 : lines.indexOf(before);
  const at = still < 0 && inThisRun ? newestWith(lines, wanted) : still;
  if (at >= 0) kept.current = { line: lines[at]!, address };
  const selected = at >= 0 ? lines[at] : before;
  useEffect(() => {
    // Somebody came by a link: the list stands there, and is held once all that was there has come.
    if (at < 0 || !following) return;
    setJump(at);
    if (settled) setFollowing(false);
  }, [at, following, settled]);
  const close = () => {
    if (at >= 0) setFollowing(false);
    setQuery({ line: null, run: null });
  };
  const select = (index: number, line: LogLineJson) => {
    const next = { line: String(line.number), run: isEarlier(lines, index) ? 'earlier' : started ?? null };
    kept.current = { line, address: `${next.line} ${next.run}` };
    setFollowing(false);
    setQuery(next);
  };
  const follow = () => {
    close();
    setJump(undefined);
    setFollowing(true);
  };
  const filtered = filter.source !== '' || filter.level !== '' || filter.contains !== '';
  return (
    <Page
      title="Logs" label="Logs" wide
      actions={
        <>
          <CopyButton text={() => asText(lines)} label="Copy the lines that are shown">Copy</CopyButton>
          <Button icon="download" kind="quiet" small disabled={lines.length === 0} onClick={() => download(lines)} title="Download the lines that are shown">Download</Button>
          <Button icon={following ? 'pause' : 'play'} pressed={!following} onClick={() => (following ? setFollowing(false) : follow())}>
            {following ? 'Pause' : held > 0 ? `Follow (${plural(held, 'new line')})` : 'Follow'}
          </Button>
        </>
      }
    >
      <div class="toolbar">
        <SearchInput label="Part of the text" placeholder="Part of the text, in any case" value={filter.contains} onChange={(contains) => setQuery({ contains })} />
        <Select label="Source" value={filter.source} options={SOURCES} onChange={(source) => setQuery({ source })} />
        <Select label="Level" value={filter.level} options={LEVELS} onChange={(level) => setQuery({ level })} />
        <span class="muted logs-count">{plural(lines.length, 'line')}</span>
      </div>
      {wanted !== null && !selected && answered && started !== undefined && (
        <Missing line={wanted} earlier={run !== null && run !== started} filtered={filtered} oldest={num(lines[0]?.number)} onClose={close} />
      )}
      <div class="card logs" onKeyDown={(event) => event.key === 'Escape' && close()}>
        <Following following={following} onUp={() => at < 0 && setFollowing(false)} key={JSON.stringify(filter)}>
          <VirtualTable
            label="Log lines" columns={COLUMNS} count={lines.length} row={(index) => lines[index]} selected={at < 0 ? undefined : at}
            rowKey={({ number, time }) => `${number} ${time}`} rowClass={({ level }) => `log-${level}`}
            scrollTo={!following ? jump : at < 0 ? lines.length - 1 : at}
            onSelect={select}
            empty={
              !answered ? <Loading what="lines" /> : filtered ? (
                <EmptyState icon="search" title="No line fits">
                  <p>Lines that come from now on are shown if they fit.</p>
                  <p><Button onClick={() => setQuery({ source: null, level: null, contains: null })}>Show all lines</Button></p>
                </EmptyState>
              ) : <Nothing />
            }
          />
        </Following>
        {selected && <LinePanel line={selected} onClose={close} />}
      </div>
    </Page>
  );
}

// Why a line that a link leads to is not shown.
function Missing(props: { line: string; earlier: boolean; filtered: boolean; oldest: number; onClose: () => void }) {
  const { line, earlier, filtered, oldest, onClose } = props;
  const [shown, setShown] = useState(false);
  // It may be among those that are on their way.
  useEffect(() => {
    const timer = window.setTimeout(() => setShown(true), 500);
    return () => window.clearTimeout(timer);
  }, []);
  return shown && (
    <p class="log-missing" role="status">
      <span>
        {earlier ? `Line ${line} is of an earlier run of the emulator: lines are gone with their run.` :
          filtered ? `Line ${line} does not fit the filter, or is no longer kept.` :
          Number(line) < oldest ? `Line ${line} is no longer kept. The emulator keeps the newest ${formatCount(KEPT_LINES)} lines, and fewer long ones.` :
          `There is no line ${line} in this run of the emulator.`}
      </span>
      <Button small kind="quiet" icon="close" label="Close the note" onClick={onClose} />
    </p>
  );
}

// Whoever scrolls up wants to read.
function Following(props: { following: boolean; onUp: () => void; children: preact.ComponentChildren }) {
  const before = useRef(0);
  const scrolled = (event: Event) => {
    const { scrollTop, scrollHeight, clientHeight } = event.target as HTMLElement;
    const up = scrollTop < before.current && scrollHeight - clientHeight - scrollTop > 2 * ROW_HEIGHT;
    before.current = scrollTop;
    if (up && props.following) props.onUp();
  };
  return <div class="logs-list" onScrollCapture={scrolled}>{props.children}</div>;
}

function LinePanel({ line, onClose }: { line: LogLineJson; onClose: () => void }) {
  const text = useRef<HTMLPreElement>(null);
  useEffect(() => text.current?.scrollTo(0, 0), [line]);
  return (
    <section class="log-panel" aria-label="Selected line">
      <header class="log-panel-head">
        <h2>Line {num(line.number)}</h2>
        <span class="muted"><Time time={line.time} /> · {line.source}</span>
        <Level level={line.level} />
        <span class="spacer" />
        <CopyButton text={line.text ?? ''} label="Copy this line" />
        <Button kind="quiet" small icon="close" label="Close" onClick={onClose} />
      </header>
      <pre ref={text} tabIndex={0} aria-label="Text of the line">{line.text}</pre>
    </section>
  );
}

function Nothing() {
  const started = (useStore(status)?.userFunction?.command ?? []).length > 0;
  return (
    <EmptyState icon="logs" title="No lines yet">
      <p>Here stands what the emulator reports, and what your user function prints if the emulator has started it.</p>
      {!started && <p>This one was started by somebody else, so its lines are where it was started. To have them here: <code>cloudstate-dev run -- COMMAND</code></p>}
    </EmptyState>
  );
}
