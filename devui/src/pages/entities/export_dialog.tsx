import { useEffect, useState } from 'preact/hooks';
import { type ApiError, asApiError, rpc } from '../../api/client';
import type { EntityJson, ListEventsResponseJson, ListSnapshotsResponseJson } from '../../api/contract';
import { announce } from '../../ui/announce';
import { Button, ErrorBox } from '../../ui/basics';
import { Dialog } from '../../ui/dialog';
import { saveFile } from '../../ui/download';
import { formatCount, num, plural } from '../../ui/format';
import { fileName } from './file_name';

const EVENTS = 1_000;
const SNAPSHOTS = 10;

// The lines of a page; blobs keep them, which browsers put on the disk when there are many.
const linesOf = (key: string, items: unknown[]): Blob => new Blob(items.map((item) => `${JSON.stringify({ [key]: item })}\n`));

// The entity, its events up to the last that it has now, and its snapshots: one JSON object a line.
async function collect(entity: EntityJson, signal: AbortSignal, progress: (events: number) => void): Promise<Blob[]> {
  const { persistenceId = '', entityId = '' } = entity;
  const last = num(entity.lastSequence);
  const parts = [linesOf('entity', [entity])];
  for (let from = 1; from > 0 && from <= last;) {
    const page = await rpc<ListEventsResponseJson>(
      'Emulator/ListEvents', { persistenceId, entityId, fromSequence: from, limit: Math.min(EVENTS, last - from + 1) }, signal);
    parts.push(linesOf('event', page.events ?? []));
    progress(num(page.events?.at(-1)?.sequence));
    from = num(page.nextSequence);
  }
  for (let from = 1; ;) {
    const { snapshots = [] } = await rpc<ListSnapshotsResponseJson>(
      'Emulator/ListSnapshots', { persistenceId, entityId, fromSequence: from, limit: SNAPSHOTS }, signal);
    const own = snapshots.filter(({ sequence }) => num(sequence) <= last);
    parts.push(linesOf('snapshot', own));
    if (snapshots.length < SNAPSHOTS || own.length < snapshots.length) return parts;
    from = num(snapshots.at(-1)!.sequence) + 1;
  }
}

export function ExportDialog({ entity, onClose }: { entity: EntityJson; onClose: () => void }) {
  // What it has when the dialog opens; more may come meanwhile.
  const [whole] = useState(entity);
  const [done, setDone] = useState(0);
  const [error, setError] = useState<ApiError>();
  const [turn, setTurn] = useState(0);
  const last = num(whole.lastSequence);
  useEffect(() => {
    const abort = new AbortController();
    setError(undefined);
    collect(whole, abort.signal, setDone).then(
      (parts) => {
        const name = fileName(whole, '.ndjson');
        saveFile(name, parts, 'application/x-ndjson');
        announce(`Saved ${plural(last, 'event')} as ${name}`, 'good');
        onClose();
      },
      (problem: unknown) => {
        if (!abort.signal.aborted) setError(asApiError(problem));
      },
    );
    return () => abort.abort();
  }, [turn]);
  return (
    <Dialog title="Export" onClose={onClose} actions={<Button onClick={onClose}>Cancel</Button>}>
      <p>
        All events and snapshots of <strong>{whole.persistenceId}/{whole.entityId}</strong>, one JSON object a line.
      </p>
      {error ? <ErrorBox error={error} onRetry={() => setTurn((before) => before + 1)} /> : (
        <div class="export-progress">
          <progress max={last} value={done} aria-label="Events fetched" />
          <span class="muted">{formatCount(done)} of {plural(last, 'event')}</span>
        </div>
      )}
    </Dialog>
  );
}
