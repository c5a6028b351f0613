import { useEffect, useState } from 'preact/hooks';
import { rpc } from '../../api/client';
import type { DeleteEntityResponseJson, EntityJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { connection, status } from '../../state/live';
import { useStore } from '../../state/store';
import { useQuery } from '../../state/use_query';
import '../../styles/entities.css';
import { announce } from '../../ui/announce';
import { Ago, Button, CopyButton, EmptyState, ErrorBox, LinkButton, Loading, Page, Stat, Stats, Time, go } from '../../ui/basics';
import { ConfirmDialog } from '../../ui/dialog';
import { formatBytes, formatCount, num, plural, shortName } from '../../ui/format';
import { EntityView } from './entity_view';
import { ExportDialog } from './export_dialog';
import { ForkPage } from './fork_page';
import { useServices, writeMethod } from '../../state/services';

const REFRESH = 3_000;

export function EntityPage({ persistenceId, entityId, query }: { persistenceId: string; entityId: string; query: URLSearchParams }) {
  const { epoch } = useStore(connection);
  const { data: services = [] } = useServices();
  const loaded = useQuery(JSON.stringify(['entity', persistenceId, entityId]),
    (signal) => rpc<EntityJson>('Emulator/GetEntity', { persistenceId, entityId }, signal), REFRESH);
  const entity = loaded.data;
  const service = services.find(({ name }) => name === entity?.service) ?? services.find((each) => each.persistenceId === persistenceId);

  if (loaded.error?.code === 'NOT_FOUND') return <NotThere persistenceId={persistenceId} entityId={entityId} service={service} />;
  if (entity === undefined) {
    return (
      <Page label={entityId} title={entityId}>
        {loaded.error ? <ErrorBox error={loaded.error} onRetry={loaded.reload} /> : <Loading what="the entity" />}
      </Page>
    );
  }
  // Deleted and begun anew, or another journal: nothing of before holds.
  const life = `${entity.created} ${epoch}`;
  if (query.get('view') === 'fork') return <ForkPage key={life} entity={entity} service={service} query={query} />;
  return (
    <Page wide label={entityId} title={<Key entity={entity} />} actions={<Actions entity={entity} service={service} />}>
      {loaded.error && <ErrorBox error={loaded.error} onRetry={loaded.reload} />}
      <Figures entity={entity} />
      <EntityView key={life} entity={entity} service={service} query={query} />
    </Page>
  );
}

export const Key = ({ entity }: { entity: EntityJson }) => (
  <span class="entity-key">
    <a href={href(['entities'], { pid: entity.persistenceId })} title="All entities that are persisted like this">{entity.persistenceId}</a>
    <span class="entity-slash">/</span>
    <span>{entity.entityId}</span>
  </span>
);

function Figures({ entity }: { entity: EntityJson }) {
  const snapshot = num(entity.snapshotSequence);
  return (
    <Stats>
      <Stat label="Events">{formatCount(num(entity.lastSequence))}</Stat>
      <Stat label="Stored">{formatBytes(num(entity.eventBytes))}</Stat>
      <Stat label="Newest snapshot">{snapshot > 0 ? `at ${formatCount(snapshot)}` : 'none'}</Stat>
      <Stat label="First event"><Time time={entity.created} /></Stat>
      <Stat label="Changed"><Ago time={entity.updated} /></Stat>
      <Stat label="Service" title={entity.service}>{shortName(entity.service)}</Stat>
    </Stats>
  );
}

function Actions({ entity, service }: { entity: EntityJson; service: ServiceJson | undefined }) {
  const [open, setOpen] = useState<'export' | 'delete'>();
  const readOnly = useStore(status)?.readOnly ?? false;
  const method = writeMethod(service);
  const close = () => setOpen(undefined);
  return (
    <>
      <CopyButton text={entity.entityId ?? ''} label="Copy the entity's id" />
      {service && method && (
        <LinkButton icon="try" href={href(['try', service.name ?? '', method.name ?? ''], { entity: entity.entityId })}>Try it</LinkButton>
      )}
      <LinkButton icon="calls" href={href(['calls'], { entity: entity.entityId })}>Calls</LinkButton>
      <Button icon="download" onClick={() => setOpen('export')}>Export</Button>
      <Button
        icon="trash" kind="danger" onClick={() => setOpen('delete')} disabled={readOnly}
        title={readOnly ? 'The emulator runs with --read-only.' : 'Remove all that is stored of it'}
      >
        Delete
      </Button>
      {open === 'export' && <ExportDialog entity={entity} onClose={close} />}
      {open === 'delete' && <DeleteDialog entity={entity} onClose={close} />}
    </>
  );
}

function DeleteDialog({ entity, onClose }: { entity: EntityJson; onClose: () => void }) {
  const { persistenceId = '', entityId = '' } = entity;
  const confirm = async () => {
    try {
      const gone = await rpc<DeleteEntityResponseJson>('Emulator/DeleteEntity', { persistenceId, entityId });
      const events = plural(num(gone.deletedEvents), 'event');
      announce(`Deleted ${persistenceId}/${entityId}: ${events} and ${plural(num(gone.deletedSnapshots), 'snapshot')}.`, 'good');
      go(['entities']);
    } catch (error) {
      announce(`Not deleted: ${error instanceof Error ? error.message : String(error)}`, 'bad');
      onClose();
    }
  };
  return (
    <ConfirmDialog title="Delete this entity" word={entityId} action="Delete" onConfirm={confirm} onClose={onClose}>
      <p>
        {plural(num(entity.lastSequence), 'event')} and all snapshots of <strong>{persistenceId}/{entityId}</strong> are removed. Its stream to
        the user function ends, and the next command finds it as if it had never been. This cannot be undone; Export keeps a copy.
      </p>
    </ConfirmDialog>
  );
}

function NotThere({ persistenceId, entityId, service }: { persistenceId: string; entityId: string; service: ServiceJson | undefined }) {
  const method = writeMethod(service);
  const [shown, setShown] = useState(false);
  // Just deleted: the way back to the list is on already.
  useEffect(() => {
    const timer = window.setTimeout(() => setShown(true), 100);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <Page label={entityId} title={`${persistenceId}/${entityId}`}>
      {shown && (
        <EmptyState icon="entities" title="Nothing is stored under this key">
          <p>It was never there, or it was deleted. Its first event makes it appear here.</p>
          <p class="entity-ways">
            {service && method && (
              <LinkButton kind="primary" icon="try" href={href(['try', service.name ?? '', method.name ?? ''], { entity: entityId })}>
                Call {method.name}
              </LinkButton>
            )}
            <LinkButton href={href(['entities'])}>All entities</LinkButton>
          </p>
        </EmptyState>
      )}
    </Page>
  );
}
