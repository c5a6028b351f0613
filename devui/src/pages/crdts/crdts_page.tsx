// #/crdts: all CRDT entities, with what the nodes have of each. #/crdts/PERSISTENCE_ID/ENTITY_ID: one of them.
import type { CrdtJson, ListCrdtsResponseJson } from '../../api/contract';
import { get } from '../../api/client';
import { href, navigate, type Route, setQuery } from '../../router';
import { Badge, Card, EmptyState, ErrorBox, Loading, Page, SearchInput } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { formatCount, num } from '../../ui/format';
import { type Column, VirtualTable } from '../../ui/virtual_table';
import '../../styles/crdts.css';
import { CrdtEntityPage } from './entity_page';
import { valuesText } from './texts';
import { useChanges } from './use_changes';
import { usePages } from './use_pages';

const PAGE_SIZE = 100;

const linkTo = ({ persistenceId = '', entityId = '' }: CrdtJson) => href(['crdts', persistenceId, entityId]);

const COLUMNS: Column<CrdtJson>[] = [
  { key: 'id', title: 'Entity', width: 'minmax(110px, 1.2fr)', render: (crdt) => <a href={linkTo(crdt)} tabIndex={-1}>{crdt.entityId || 'without an id'}</a> },
  { key: 'of', title: 'Of', width: 'minmax(90px, 1fr)', render: ({ persistenceId }) => <span class="muted" title={persistenceId}>{persistenceId?.split('.').pop()}</span> },
  { key: 'type', title: 'Type', width: '104px', render: ({ type, deleted }) => (deleted ? <Badge tone="bad">deleted</Badge> : <Badge>{type || 'past only'}</Badge>) },
  { key: 'nodes', title: 'Nodes', width: '64px', numeric: true, render: ({ nodes }) => nodes ?? 0 },
  { key: 'agreed', title: 'Nodes know', width: '122px', render: ({ agreed }) => <Badge tone={agreed ? 'good' : 'warn'}>{agreed ? 'the same' : 'not the same'}</Badge> },
  { key: 'pending', title: 'Pending', width: '78px', numeric: true, render: ({ pending }) => formatCount(num(pending)) },
  { key: 'values', title: 'Value', width: 'minmax(160px, 3fr)', render: (crdt) => <code title={valuesText(crdt)}>{valuesText(crdt)}</code> },
];

export function CrdtsPage({ route }: { route: Route }) {
  const [, persistenceId, entityId] = route.segments;
  if (persistenceId !== undefined && entityId !== undefined) return <CrdtEntityPage persistenceId={persistenceId} entityId={entityId} />;
  return <CrdtList route={route} />;
}

function CrdtList({ route }: { route: Route }) {
  const search = route.query.get('q') ?? '';
  const { rows, complete, loaded, error, see, refresh } = usePages<CrdtJson>(search, async (pageToken, signal) => {
    const answer = await get<ListCrdtsResponseJson>('/v1/crdts', { 'filter.id_contains': search, page_size: PAGE_SIZE, page_token: pageToken }, signal);
    return { rows: answer.crdts ?? [], next: answer.nextPageToken ?? '' };
  });
  useChanges('/v1/crdts:watch', {}, refresh);
  const count = rows.length + (complete ? 0 : 1);
  const empty = loaded && complete && rows.length === 0;
  return (
    <Page title="CRDTs" label="CRDTs" wide actions={<SearchInput value={search} onChange={(q) => setQuery({ q })} placeholder="Part of an entity id" label="Search CRDT entities" />}>
      {error && <ErrorBox error={error} onRetry={refresh} />}
      {!loaded && !error && <Loading what="CRDT entities" />}
      {empty && search === '' && <NoneYet />}
      {empty && search !== '' && (
        <EmptyState icon="search" title={`No CRDT entity has “${search}” in its id`}>
          <p><a href={href(['crdts'])}>Show all</a></p>
        </EmptyState>
      )}
      {loaded && !empty && (
        <Card class="crdt-list">
          <VirtualTable
            label="CRDT entities" columns={COLUMNS} count={count} row={(i) => rows[i]} rowKey={({ persistenceId, entityId }) => `${persistenceId}/${entityId}`}
            onVisible={see} onOpen={(_, crdt) => navigate(linkTo(crdt))}
          />
        </Card>
      )}
    </Page>
  );
}

const NoneYet = () => (
  <EmptyState icon="crdts" title="No CRDT entity has been written to">
    <p>
      Each node has a replica of a CRDT entity, changes it without asking, and tells the others later. Here you see the replicas side
      by side, what is on its way between them, and why they differ. To have some, start a sample:
    </p>
    <CliCommand words={['run', '--sample', 'chat', '--nodes', '3', '--acceptable-pause', '1m']} />
    <p>and say something in a room, or use <a href={href(['try'])}>Try it</a>:</p>
    <CliCommand words={['call', 'Chat/Post', '{"room": "lobby", "author": "ann", "text": "hello"}', '--node', '1']} />
  </EmptyState>
);
