// What an entity's state is after an event, as far as it is stored: a value entity's value, an event-sourced entity's snapshots.
import { useEffect, useState } from 'preact/hooks';
import type { EntityJson, EventJson, SnapshotJson } from '../../api/contract';
import { setQuery } from '../../router';
import { useQuery } from '../../state/use_query';
import { Button, EmptyState, ErrorBox, Loading } from '../../ui/basics';
import { DiffView } from '../../ui/diff_view';
import { formatCount, num, plural } from '../../ui/format';
import { type Json, PayloadView, parseJson } from '../../ui/json_view';
import { type DetailProps, useEvent } from './detail';
import { snapshotUntil } from './event_book';
import { isValue } from '../../state/services';
import { isDeletion } from './time_line';

export function StateView(props: DetailProps) {
  if (props.at === 0) return <p class="muted">Before the first event there is no state but the one that the user function begins with.</p>;
  return isValue(props.service) ? <ValueState {...props} /> : <SnapshotState {...props} />;
}

const valueOf = (event: EventJson | undefined): Json | undefined => (isDeletion(event) ? undefined : parseJson(event?.payload?.json));

// Which other event it is compared with, in the address under `with`: the one before unless told otherwise.
function useOther({ book, at, query }: DetailProps): [number, EventJson | undefined] {
  const asked = Number.parseInt(query.get('with') ?? '', 10);
  const other = Number.isNaN(asked) ? at - 1 : Math.max(0, asked);
  useEffect(() => {
    if (other > 0) book.want(other);
  }, [other, at, book]);
  return [other, other === 0 ? undefined : book.event(other)];
}

function ValueState(props: DetailProps) {
  const { book, at, last } = props;
  const { event, waiting } = useEvent(book, at);
  const [other, before] = useOther(props);
  if (event === undefined) return <Loading what="the value" />;
  const [low, high] = other <= at ? [before, event] : [event, before];
  return (
    <div class={waiting ? 'sections sections-waiting' : 'sections'}>
      <section aria-label="Difference">
        <div class="section-head">
          <h3>What differs</h3>
          <OtherField other={other} last={last} standing={props.query.has('with')} />
        </div>
        {other > 0 && before === undefined ? <Loading what="the other value" /> : (
          <DiffView before={valueOf(low)} after={valueOf(high)} label={`What differs between event ${other} and ${at}`} />
        )}
      </section>
      <section aria-label="Value">
        <div class="section-head"><h3>Value after event {formatCount(num(event.sequence))}</h3></div>
        {isDeletion(event) ? <p class="muted">None: it was deleted.</p> : <PayloadView payload={event.payload} label="Value" />}
      </section>
    </div>
  );
}

// What is being typed stays while events come in.
function OtherField({ other, last, standing }: { other: number; last: number; standing: boolean }) {
  const [typed, setTyped] = useState<string>();
  const commit = () => {
    const wanted = Number.parseInt(typed ?? '', 10);
    setTyped(undefined);
    if (!Number.isNaN(wanted) && wanted !== other) setQuery({ with: Math.min(Math.max(0, wanted), last) });
  };
  return (
    <label class="other-point">
      <span class="muted">compared with event</span>
      <input
        class="point-number" inputMode="numeric" value={typed ?? String(other)} onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={commit} onKeyDown={(event) => event.key === 'Enter' && commit()}
      />
      {standing && <Button small kind="quiet" onClick={() => setQuery({ with: null })}>The one before</Button>}
    </label>
  );
}

interface Pair {
  at: number;
  newer: SnapshotJson | undefined;
  older: SnapshotJson | undefined;
}

async function pairUntil({ persistenceId = '', entityId = '' }: EntityJson, at: number, signal: AbortSignal): Promise<Pair> {
  const newer = await snapshotUntil(persistenceId, entityId, at, signal);
  const older = newer && (await snapshotUntil(persistenceId, entityId, num(newer.sequence) - 1, signal));
  return { at, newer, older };
}

function SnapshotState({ entity, settled, onGo }: DetailProps) {
  const key = `snapshots ${entity.persistenceId} ${entity.entityId} ${settled}`;
  const { data, error, reload } = useQuery(key, (signal) => pairUntil(entity, settled, signal));
  const [shown, setShown] = useState<Pair>();
  useEffect(() => {
    if (data) setShown(data);
  }, [data]);
  const pair = data ?? shown;
  if (error) return <ErrorBox error={error} onRetry={reload} />;
  if (pair === undefined) return <Loading what="the snapshots" />;
  const { newer, older } = pair;
  if (newer === undefined) return <NoSnapshot />;
  const behind = pair.at - num(newer.sequence);
  return (
    <div class={data ? 'sections' : 'sections sections-waiting'}>
      <p class="muted">
        An event-sourced entity's state is known to its user function; snapshots are what it stored of it.{' '}
        {behind > 0 ? `The newest up to here is ${plural(behind, 'event')} old.` : 'The newest was taken right here.'}{' '}
        <button type="button" class="link" onClick={() => setQuery({ view: 'travel' })}>Time travel</button> asks the user function itself.
      </p>
      <section aria-label="Difference">
        <div class="section-head">
          <h3>{older ? `From snapshot ${formatCount(num(older.sequence))} to ${formatCount(num(newer.sequence))}` : `Up to the first snapshot, ${formatCount(num(newer.sequence))}`}</h3>
          {older && <Button small kind="quiet" onClick={() => onGo(num(older.sequence))}>Go to {formatCount(num(older.sequence))}</Button>}
        </div>
        <DiffView before={parseJson(older?.payload?.json)} after={parseJson(newer.payload?.json)} label="What differs between the snapshots" />
      </section>
      <section aria-label="Snapshot">
        <div class="section-head">
          <h3>Snapshot after event {formatCount(num(newer.sequence))}</h3>
          {behind > 0 && <Button small kind="quiet" onClick={() => onGo(num(newer.sequence))}>Go there</Button>}
        </div>
        <PayloadView payload={newer.payload} label="Snapshot" />
      </section>
    </div>
  );
}

const NoSnapshot = () => (
  <EmptyState icon="snapshot" title="No snapshot up to this point">
    <p>The user function's library takes one after a number of events, and the state as it was then is shown here. At any other point:</p>
    <p><Button icon="clock" onClick={() => setQuery({ view: 'travel' })}>Ask the user function by time travel</Button></p>
  </EmptyState>
);
