// The live tail.
import type { ComponentChildren, RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ServiceJson, WatchCommandsResponseJson } from '../../api/contract';
import { href, navigate, setQuery } from '../../router';
import { samples } from '../../state/live';
import { useStore } from '../../state/store';
import { useWatch } from '../../state/use_watch';
import { Button, EmptyState, LinkButton, Page } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { formatCount, formatRate, num, shortName } from '../../ui/format';
import { NoUserFunction } from '../../ui/no_user_function';
import { VirtualTable } from '../../ui/virtual_table';
import { callWords } from '../../ui/shell';
import { columnsFor, rowClass, rowKey } from './call_columns';
import { CallFilters, clearFilters, filterOf, isFiltered } from './call_filters';
import { CallPanel } from './call_panel';
import { OpenCalls } from './open_calls';
import { KEPT_CALLS, Tail, type TailRow } from './tail';
import { useServices } from '../../state/services';

const MOST_PER_SECOND = 200;
const AT_THE_START = 200;
// More often would only blur.
const DRAW_EVERY_MS = 200;

// So long nothing is said of there being no calls: they may be on their way.
const SILENT_MS = 400;

interface DrawnTail {
  tail: Tail;
  // How many calls had come when it was drawn, once in DRAW_EVERY_MS at most.
  drawn: number;
  // None came for a while.
  silent: boolean;
}

function useTail(filter: Record<string, string | boolean | undefined>): DrawnTail {
  const key = JSON.stringify(filter);
  const tail = useMemo(() => new Tail(), [key]);
  const now = useRef(tail);
  now.current = tail;
  const [drawn, setDrawn] = useState({ tail, taken: 0 });
  const [silent, setSilent] = useState<Tail | undefined>(undefined);
  const timer = useRef(0);
  const state = useWatch<WatchCommandsResponseJson>(
    '/v1/commands:watch',
    { ...filter, most_per_second: MOST_PER_SECOND, brief: true, newest: AT_THE_START },
    (batch) => {
      tail.push(batch, Date.now());
      timer.current ||= window.setTimeout(() => {
        timer.current = 0;
        setDrawn({ tail: now.current, taken: now.current.taken });
      }, DRAW_EVERY_MS);
    },
  );
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useEffect(() => {
    if (state !== 'open') return;
    const waiting = window.setTimeout(() => setSilent(tail), SILENT_MS);
    return () => window.clearTimeout(waiting);
  }, [tail, state]);
  return { tail, drawn: drawn.tail === tail ? drawn.taken : 0, silent: silent === tail };
}

// In pixels, before anything is drawn.
function useWidth(element: RefObject<HTMLElement>): number {
  const [width, setWidth] = useState(Infinity);
  useLayoutEffect(() => {
    const measure = () => setWidth(element.current!.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    measure();
    return () => observer.disconnect();
  }, []);
  return width;
}

export function CallList({ query }: { query: URLSearchParams }) {
  const services = useServices();
  const filter = filterOf(query);
  const { tail, drawn, silent } = useTail(filter);
  const table = useRef<HTMLDivElement>(null);
  const columns = columnsFor(useWidth(table));
  const opened = query.get('call');
  const paused = query.get('paused') === '1';
  // What a table that stands still shows, while the tail goes on.
  const still = useRef<{ tail: Tail; taken: number; rows: TailRow[] } | undefined>(undefined);
  if (!paused || drawn === 0) still.current = undefined;
  else if (still.current?.tail !== tail) still.current = { tail, taken: drawn, rows: tail.rows(drawn) };
  const { rows, taken = drawn } = still.current ?? {};
  const row = (index: number) => (rows ? rows[index] : tail.row(index, drawn));
  const count = rows?.length ?? Math.min(drawn, KEPT_CALLS);

  const pause = useCallback(() => setQuery({ paused: 1 }), []);
  const goOn = () => {
    setQuery({ paused: null });
    table.current?.querySelector('.table')?.scrollTo(0, 0);
  };
  const selected = useMemo(() => {
    for (let i = 0; opened !== null && i < count; ++i) if (row(i)?.call.traceId === opened) return i;
    return undefined;
  }, [opened, taken, count, rows]);

  return (
    <Page title="Calls" label="Calls" wide actions={<Figures />}>
      <CallFilters query={query} services={services.data ?? []} />
      <OpenCalls filter={filter} />
      <div class={opened === null ? 'calls' : 'calls calls-split'}>
        <section
          class="card calls-list" ref={table} aria-label="Calls as they end"
          onScrollCapture={(event) => !paused && (event.target as HTMLElement).scrollTop > 4 && pause()}
        >
          <TailState tail={tail} paused={paused} behind={tail.taken - taken} onPause={pause} onGoOn={goOn} />
          {/* A row that moves on under the pointer cannot be clicked. */}
          <div class="calls-rows" onPointerDown={() => !paused && count > 0 && pause()}>
            <VirtualTable<TailRow>
              label="Calls" columns={columns} count={count} row={row} rowKey={rowKey} rowClass={rowClass} selected={selected}
              onSelect={(_, { call }) => setQuery({ call: call.traceId ?? null, command: null, paused: 1 })}
              onOpen={(_, { call }) => navigate(href(['calls', call.traceId ?? '']))}
              empty={silent && <NoCalls filtered={isFiltered(query)} services={services.data} />}
            />
          </div>
        </section>
        {opened !== null && <CallPanel trace={opened} key={opened} />}
      </div>
    </Page>
  );
}

// All calls, whether or not they are shown.
function Figures() {
  const last = useStore(samples).at(-1)?.calls;
  const failed = num(last?.failed);
  return (
    <p class="calls-figures">
      <strong>{formatRate(num(last?.calls))}</strong> <span class="muted">calls</span>
      <strong class={failed > 0 ? 'calls-failed' : undefined}>{formatRate(failed)}</strong> <span class="muted">failed</span>
    </p>
  );
}

interface TailStateProps {
  tail: Tail;
  paused: boolean;
  // How many came since.
  behind: number;
  onPause: () => void;
  onGoOn: () => void;
}

function TailState({ tail, paused, behind, onPause, onGoOn }: TailStateProps) {
  const oneOf = tail.oneOf(Date.now());
  let text: ComponentChildren = 'Newest first, as they end';
  if (paused) text = behind > 0 ? `Paused: ${formatCount(behind)} more since` : 'Paused';
  else if (oneOf > 1.05) text = `1 of ${oneOf < 10 ? oneOf.toFixed(1) : formatCount(Math.round(oneOf))} shown: so many a second`;
  return (
    <div class="calls-state">
      <span class={paused ? 'live live-paused' : 'live'} aria-hidden="true" />
      <span class="calls-state-text">{text}</span>
      {paused
        ? <Button small kind="primary" icon="play" onClick={onGoOn}>Go on</Button>
        : <Button small icon="pause" onClick={onPause}>Pause</Button>}
    </div>
  );
}

// Services are undefined while they are loading.
function NoCalls({ filtered, services }: { filtered: boolean; services: ServiceJson[] | undefined }) {
  if (filtered) {
    return (
      <EmptyState icon="search" title="No call fits so far">
        <p>Calls that fit the filter will appear here as they end.</p>
        <p><Button onClick={clearFilters}>Show all calls</Button></p>
      </EmptyState>
    );
  }
  const service = services?.find(({ methods = [] }) => methods.length > 0);
  const method = service?.methods?.[0];
  return (
    <EmptyState icon="calls" title="No calls yet">
      <p>Every call of a client appears here as it ends, with how long it took and all that it set off.</p>
      {services !== undefined && service === undefined && <NoUserFunction />}
      {service?.name && method?.name && (
        <>
          <p>Make one:</p>
          <CliCommand words={callWords({ service: service.name, method: method.name, messages: [method.example || '{}'], headers: [] })} />
          <p><LinkButton kind="primary" icon="try" href={href(['try', service.name, method.name])}>Try {shortName(service.name)}.{method.name}</LinkButton></p>
        </>
      )}
    </EmptyState>
  );
}
