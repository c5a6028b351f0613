import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { get } from '../../api/client';
import type { EntityJson, StatusJson } from '../../api/contract';
import { href, type Route, setQuery } from '../../router';
import { connection, status } from '../../state/live';
import { useStore } from '../../state/store';
import '../../styles/entities.css';
import { Ago, Button, Card, Command, EmptyState, ErrorBox, Loading, Page, SearchInput, Select, go } from '../../ui/basics';
import { formatBytes, formatCount, num, plural, shortName } from '../../ui/format';
import { NoUserFunction } from '../../ui/no_user_function';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import { EntityPager, type PagerState } from './entity_pager';
import { usePlace } from './place';
import { curlFor, isCrdt, isStored, useServices } from '../../state/services';

const COLUMNS: Column<EntityJson>[] = [
  {
    key: 'id', title: 'Entity', width: 'minmax(130px, 3fr)',
    // The table's own keys lead to each row.
    render: (row) => <a class="mono" tabIndex={-1} href={href(['entities', row.persistenceId ?? '', row.entityId ?? ''])}>{row.entityId || 'without an id'}</a>,
  },
  { key: 'pid', title: 'Persisted as', width: 'minmax(90px, 2fr)', render: (row) => <span title={row.service}>{row.persistenceId}</span> },
  { key: 'events', title: 'Events', width: '80px', numeric: true, render: (row) => formatCount(num(row.lastSequence)) },
  { key: 'bytes', title: 'Stored', width: '80px', numeric: true, render: (row) => formatBytes(num(row.eventBytes)) },
  {
    key: 'snapshot', title: 'Snapshot at', width: '100px', numeric: true,
    render: (row) => (num(row.snapshotSequence) > 0 ? formatCount(num(row.snapshotSequence)) : <span class="muted">none</span>),
  },
  { key: 'changed', title: 'Changed', width: '106px', numeric: true, render: (row) => <Ago time={row.updated} /> },
];

interface Filter {
  q: string;
  pid: string;
  service: string;
}

const filterOf = ({ query }: Route): Filter => ({ q: query.get('q') ?? '', pid: query.get('pid') ?? '', service: query.get('service') ?? '' });

// The rows that fit, and how many events there were when they were asked for. While other rows are on their way those of before
// stay.
function usePager(filter: Filter) {
  const { epoch } = useStore(connection);
  const [turn, setTurn] = useState(0);
  const [busy, setBusy] = useState<EntityPager>();
  const [loaded, setLoaded] = useState<EntityPager>();
  const [stored, setStored] = useState<number>();
  const [, redraw] = useState<PagerState>();
  const { q, pid, service } = filter;
  useEffect(() => {
    const pager = new EntityPager({ 'filter.id_contains': q, 'filter.persistence_id': pid, 'filter.service': service }, (state) => {
      if (state.ready) setLoaded(pager);
      redraw(state);
    });
    setBusy(pager);
    pager.want(0, 1);
    const abort = new AbortController();
    // An emulator that does not answer is told of by the rows.
    get<StatusJson>('/v1/status', {}, abort.signal).then((now) => setStored(num(now.storedEvents)), () => setStored(undefined));
    return () => {
      pager.close();
      abort.abort();
    };
  }, [q, pid, service, epoch, turn]);
  return { pager: loaded, error: busy?.state.error, retry: () => busy?.retry(), stored, reload: () => setTurn((before) => before + 1) };
}

export function EntityList({ route }: { route: Route }) {
  const filter = filterOf(route);
  const { pager, error, retry, stored, reload } = usePager(filter);
  const place = usePlace(JSON.stringify(filter), pager !== undefined);
  const count = pager?.state.count ?? 0;
  const filtered = filter.q !== '' || filter.pid !== '' || filter.service !== '';
  const visible = useCallback((first: number, last: number) => pager?.want(first, last), [pager]);
  const open = (i: number, { persistenceId = '', entityId = '' }: EntityJson) => {
    place.chosen(i);
    go(['entities', persistenceId, entityId]);
  };
  return (
    <Page
      wide label="Entities" title={<>Entities {pager && <span class="entity-total">{formatCount(count)}{filtered && ' found'}</span>}</>}
      actions={<NewEvents stored={stored} onRefresh={reload} />}
    >
      <Filters filter={filter} />
      {error && <ErrorBox error={error} onRetry={retry} />}
      <Card class="card-table">
        {pager === undefined ? error === undefined && <Loading what="entities" /> : (
          <div class="entity-rows" ref={place.table} onScrollCapture={place.scrolled}>
            <VirtualTable
              label="Entities" columns={COLUMNS} count={count} row={(i) => pager.row(i)} rowKey={(row, i) => `${i} ${row.entityId}`}
              selected={place.row} onSelect={place.chosen} onOpen={open} onVisible={visible}
              empty={filtered ? <NothingFound filter={filter} /> : <FirstEntity />}
            />
          </div>
        )}
      </Card>
    </Page>
  );
}

function Filters({ filter }: { filter: Filter }) {
  const { data: services = [] } = useServices();
  const stored = services.filter(isStored);
  const names = stored.map(({ name = '' }) => name);
  if (filter.service !== '' && !names.includes(filter.service)) names.push(filter.service);
  const ids = [...new Set([...stored.map(({ persistenceId = '' }) => persistenceId), ...(filter.pid === '' ? [] : [filter.pid])])];
  return (
    <div class="toolbar">
      <SearchInput value={filter.q} onChange={(q) => setQuery({ q })} placeholder="Part of an entity's id" label="Search entities by a part of their id" />
      <Select
        label="Service" value={filter.service} onChange={(service) => setQuery({ service })}
        options={[{ value: '', title: 'All services' }, ...names.map((name) => ({ value: name, title: shortName(name) }))]}
      />
      <Select
        label="Persisted as" value={filter.pid} onChange={(pid) => setQuery({ pid })}
        options={[{ value: '', title: 'All persistence ids' }, ...ids.map((id) => ({ value: id, title: id }))]}
      />
      {services.some(isCrdt) && <a href={href(['crdts'])}>CRDT entities are on their own page</a>}
    </div>
  );
}

function NewEvents({ stored, onRefresh }: { stored: number | undefined; onRefresh: () => void }) {
  const now = num(useStore(status)?.storedEvents);
  const news = stored === undefined ? 0 : now - stored;
  return (
    <>
      {news > 0 && <span class="muted" role="status">{plural(news, 'event was', 'events were')} stored since</span>}
      <Button icon="refresh" onClick={onRefresh}>Refresh</Button>
    </>
  );
}

const NothingFound = ({ filter }: { filter: Filter }) => (
  <EmptyState icon="search" title="No entity fits">
    <p>
      {filter.q !== '' && <>No id that was looked through has <code>{filter.q}</code> in it; small and capital letters differ. </>}
      <button type="button" class="link" onClick={() => setQuery({ q: null, pid: null, service: null })}>Show all entities</button>
    </p>
  </EmptyState>
);

function FirstEntity() {
  const known = useServices();
  const services = known.data ?? [];
  const client = useStore(status)?.clientAddress;
  const line = useMemo(() => {
    const all = services.filter(isStored).map((service) => (client === undefined ? undefined : curlFor(service, client)));
    return all.find((each) => each !== undefined);
  }, [services, client]);
  return (
    <EmptyState icon="entities" title="No entity has stored anything yet">
      <p>Each entity that stores an event or a value is a row here: how much it stored, since when, and a way to all of it.</p>
      {line !== undefined && (
        <>
          <p>Make the first one:</p>
          <Command text={line} />
        </>
      )}
      {known.data?.length === 0 ? <NoUserFunction /> : (
        <p>
          Or call a method with a form on <a href={href(['try'])}>Try it</a>.
          {services.some(isCrdt) && <> CRDT entities store nothing; they are on <a href={href(['crdts'])}>their own page</a>.</>}
        </p>
      )}
    </EmptyState>
  );
}
