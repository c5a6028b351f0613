// What each node has of an entity, side by side.
import type { CrdtDetailJson, CrdtReplicaJson } from '../../api/contract';
import { href } from '../../router';
import { Badge, Dot } from '../../ui/basics';
import { formatBytes, num, plural } from '../../ui/format';
import { nodeState, nodeTone, runs } from '../../ui/node_state';
import { nodeList } from './texts';
import { type Other, ValueView } from './value_view';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

// Replicas with the same digest know the same: each digest gets a letter.
function statesOf(replicas: CrdtReplicaJson[]): Map<string, { letter: string; nodes: number[] }> {
  const states = new Map<string, { letter: string; nodes: number[] }>();
  for (const { node = 0, known, digest = '' } of replicas) {
    if (!known) continue;
    const state = states.get(digest) ?? { letter: LETTERS[states.size % LETTERS.length]!, nodes: [] };
    state.nodes.push(node);
    states.set(digest, state);
  }
  return states;
}

export function Replicas({ detail }: { detail: CrdtDetailJson }) {
  const replicas = detail.replicas ?? [];
  const states = statesOf(replicas);
  return (
    <ul class="crdt-replicas" aria-label="Replicas">
      {replicas.map((replica) => (
        <Replica
          key={replica.node} replica={replica} state={states.get(replica.digest ?? '')} alone={states.size < 2}
          others={replicas.filter((each) => each !== replica && each.known).map(({ node = 0, value }) => ({ node, value }))}
        />
      ))}
    </ul>
  );
}

interface ReplicaProps {
  replica: CrdtReplicaJson;
  state: { letter: string; nodes: number[] } | undefined;
  // There is one state only.
  alone: boolean;
  others: Other[];
}

function Replica({ replica, state, alone, others }: ReplicaProps) {
  const { node = 0, known } = replica;
  const same = state?.nodes.filter((each) => each !== node) ?? [];
  const waiting = num(replica.waitingWrites) + num(replica.waitingReads);
  return (
    <li class="card crdt-replica" aria-label={`Replica on node ${node}`}>
      <header>
        <Dot tone={nodeTone(replica)} label={nodeState(replica)} />
        <h2><a href={href(['cluster'], { node })}>Node {node}</a></h2>
        <span class="muted">{nodeState(replica)}</span>
        <span class="spacer" />
        {replica.active && <Badge tone="accent" title="It has a stream to the user function on this node">active</Badge>}
      </header>
      <div class="crdt-value" tabIndex={0} role="group" aria-label={`Value on node ${node}`}>
        <Value replica={replica} others={others} />
      </div>
      {known && (
        <footer>
          <Badge tone={alone ? 'good' : 'warn'} title={`Digest ${replica.digest}`}>state {state?.letter}</Badge>
          <span class="muted">
            {same.length > 0 ? `as on ${nodeList(same)}` : 'here alone'} · {formatBytes(num(replica.bytes))}
          </span>
          {waiting > 0 && <Badge tone="warn" title="Until other nodes have acknowledged a write, or said what they know">{plural(waiting, 'command')} waiting</Badge>}
        </footer>
      )}
    </li>
  );
}

function Value({ replica, others }: { replica: CrdtReplicaJson; others: Other[] }) {
  if (!replica.known) return <p class="muted">{runs(replica) && replica.state !== 'down' ? 'Knows nothing of it' : 'No replica: the node does not run'}</p>;
  if (replica.deleted) return <Badge tone="bad">deleted</Badge>;
  if (!replica.value) return <p class="muted">No value</p>;
  return <ValueView value={replica.value} others={others} />;
}
