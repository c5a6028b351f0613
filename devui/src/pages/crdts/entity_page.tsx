// #/crdts/PERSISTENCE_ID/ENTITY_ID: one entity, its replicas side by side, what is on its way, and why they differ.
import { useRef } from 'preact/hooks';
import type { CrdtDetailJson } from '../../api/contract';
import { rpc } from '../../api/client';
import { href } from '../../router';
import { useQuery } from '../../state/use_query';
import { useSoon } from '../../state/use_soon';
import { Badge, Card, CopyButton, EmptyState, ErrorBox, LinkButton, Loading, Page, type Tone } from '../../ui/basics';
import { cliLine } from '../../ui/cli';
import { EventCard } from '../../ui/event_card';
import { Icon } from '../../ui/icon';
import { Lesson } from './lesson';
import { Replicas } from './replicas';
import { lacksOf, transferText } from './texts';
import { useWriteHref } from './write_links';
import { WritesTable } from './writes_table';

const EVERY_MS = 1_000;

const TONES: Record<string, Tone> = { written: 'accent', deleted: 'bad', 'timed out': 'bad', differs: 'warn', missed: 'warn', joined: 'good', confirmed: 'good' };

export function CrdtEntityPage({ persistenceId, entityId }: { persistenceId: string; entityId: string }) {
  // What nobody knows of is asked for again when something happens to it.
  const missing = useRef(false);
  const { data: loaded, error, reload } = useQuery<CrdtDetailJson>(
    `${persistenceId}/${entityId}`, (signal) => rpc('Crdts/GetCrdt', { persistenceId, entityId }, signal), missing.current ? undefined : EVERY_MS,
  );
  missing.current = error?.code === 'NOT_FOUND';
  // What was loaded before may be a dead run's.
  const data = missing.current ? undefined : loaded;
  const soon = useSoon(reload);
  const crdt = data?.crdt;
  const writeAt = useWriteHref(crdt);
  return (
    <Page
      label={`${entityId} · CRDTs`}
      title={
        <>
          <span class="crdt-trail"><a href={href(['crdts'])}>CRDTs</a> / <span title={persistenceId}>{persistenceId}</span> /</span> {entityId || 'without an id'}{' '}
          {crdt && (crdt.deleted ? <Badge tone="bad">deleted</Badge> : <Badge>{crdt.type || 'past only'}</Badge>)}
        </>
      }
      actions={
        <>
          <CopyButton text={cliLine(['crdt', 'show', `${persistenceId}|${entityId}`])} label="Copy as a command">Copy as command</CopyButton>
          {crdt && <LinkButton href={writeAt()} icon="try">Try it</LinkButton>}
        </>
      }
    >
      {missing.current ? (
        <EmptyState icon="crdts" title="No node knows of this entity">
          <p>It may not have been written to yet. <a href={href(['crdts'])}>All CRDT entities</a></p>
        </EmptyState>
      ) : error && <ErrorBox error={error} onRetry={reload} />}
      {!data && !error && <Loading what="the replicas" />}
      {data && (
        <>
          <Verdict detail={data} />
          <Replicas detail={data} />
          <Differences detail={data} />
        </>
      )}
      <EventCard
        key={`${persistenceId}/${entityId}`} title="What happens" label="What happens to the replicas" class="crdt-happenings" tones={TONES}
        to="/v1/crdts:watch" query={{ persistence_id: persistenceId, entity_id: entityId }} onEvents={soon}
        empty="Beginning to watch…"
      />
      {data && (
        <>
          <WritesTable replicas={data.replicas ?? []} />
          <Lesson detail={data} done={reload} />
        </>
      )}
    </Page>
  );
}

const Verdict = ({ detail: { crdt } }: { detail: CrdtDetailJson }) => (
  <p class={`crdt-verdict ${crdt?.agreed ? 'crdt-agreed' : 'crdt-differ'}`} role="status">
    <Icon name={crdt?.agreed ? 'check' : 'diff'} />
    {crdt?.agreed ? 'All nodes that are up know the same.' : 'The nodes do not know the same.'}
  </p>
);

function Differences({ detail: { differences = [], transfers = [] } }: { detail: CrdtDetailJson }) {
  if (differences.length === 0 && transfers.length === 0) return null;
  return (
    <div class="grid-2">
      <Card title="What differs, and why" label="What differs, and why">
        <ul class="card-body crdt-lacks">
          {lacksOf(differences).map(({ what, reasons }) => (
            <li key={what}>
              <strong>{what}</strong>
              <ul>{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
            </li>
          ))}
          {differences.length === 0 && <li class="muted">Nothing, as far as nodes are up.</li>}
        </ul>
      </Card>
      <Card title="On its way, or due" label="On its way, or due">
        <ul class="card-body crdt-transfers">
          {transfers.map((each) => (
            <li key={`${each.from}-${each.to}`}>
              <strong>{each.from} → {each.to}</strong> {transferText(each)}
            </li>
          ))}
          {transfers.length === 0 && <li class="muted">Nothing.</li>}
        </ul>
      </Card>
    </div>
  );
}
