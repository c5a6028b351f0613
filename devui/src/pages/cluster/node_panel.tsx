// A node: what it is, whom it hears, and what can be done to it.
import { useState } from 'preact/hooks';
import type { NodeDetailJson, PeerJson } from '../../api/contract';
import { get, path } from '../../api/client';
import { href } from '../../router';
import { drain, kill, pause, resume, secondsOf, skew, start } from '../../state/steering';
import { useQuery } from '../../state/use_query';
import { Ago, Badge, Dot, Stat, Stats } from '../../ui/basics';
import { durationMs, formatCount, formatDuration, num } from '../../ui/format';
import { nodeState, nodeTone, runs } from '../../ui/node_state';
import { type Cluster, pairText, pairTone } from './data';
import { DeedRow } from './deed_row';

export function NodePanel({ number, cluster, done }: { number: number; cluster: Cluster; done: () => void }) {
  const node = cluster.nodes.find((each) => each.node === number);
  if (node === undefined) return <p class="cl-pad muted">There is no node {number}.</p>;
  return (
    <div class="cl-panel">
      <div class="cl-line">
        <Badge tone={nodeTone(node)}>{nodeState(node)}</Badge>
        {node.coordinator && <Badge tone="accent" title="The oldest node that is up; it allocates the shards">coordinator</Badge>}
        <span class="muted">
          since <Ago time={node.since} />
        </span>
      </div>
      <Stats>
        <Stat label="Life" title="Its incarnation: one more after each end">{node.incarnation}</Stat>
        <Stat label="Age" title="Its place in the order in which nodes came up">{num(node.age) || '–'}</Stat>
        <Stat label="Shards">
          <a href={href(['cluster'], { node: number, view: 'shards' })}>{node.shards ?? 0}</a>
        </Stat>
        <Stat label="Entities" title="Entities with a stream to the user function on this node">{formatCount(num(node.activeEntities))}</Stat>
        <Stat label="Waiting" title="Commands that wait">{formatCount(num(node.waitingCommands))}</Stat>
        <Stat label="Calls" title="That clients have open at this node">{formatCount(num(node.openCalls))}</Stat>
      </Stats>
      {node.clientAddress && (
        <p class="muted">
          Clients call it alone at <code>{node.clientAddress}</code>
        </p>
      )}
      <h3>What can be done</h3>
      <NodeDeeds number={number} state={node.state ?? ''} paused={node.paused ?? false} incarnation={num(node.incarnation)} skewed={durationMs(node.skew)} done={done} />
      <Sight number={number} />
      <h3>Its links</h3>
      <ul class="cl-list">
        {cluster.pairs.filter(({ a, b }) => a === number || b === number).map((pair) => (
          <li key={pair.key}>
            <Dot tone={pairTone(pair)} label={pairText(pair)} />
            <a href={href(['cluster'], { link: pair.key })}>to node {pair.a === number ? pair.b : pair.a}</a>
            <span class="muted">{pairText(pair)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface NodeDeedsProps {
  number: number;
  state: string;
  paused: boolean;
  incarnation: number;
  skewed: number;
  done: () => void;
}

function NodeDeeds({ number, state, paused, incarnation, skewed, done }: NodeDeedsProps) {
  const [pauseFor, setPauseFor] = useState('8s');
  const [skewBy, setSkewBy] = useState('2s');
  if (!runs({ state })) {
    return (
      <ul class="cl-deeds">
        <DeedRow deed={start(number)} done={done} icon="play" kind="primary" text={`Begins life ${incarnation + 1} and joins again. Its shards come back two at a time.`}>
          Start
        </DeedRow>
      </ul>
    );
  }
  const seconds = secondsOf(pauseFor);
  const by = secondsOf(skewBy);
  const bad = 'A time such as 8s, 500ms or 1m30s.';
  return (
    <ul class="cl-deeds">
      <DeedRow deed={drain(number)} done={done} icon="down" text="As before an upgrade: gives its shards away, finishes its calls, and leaves. No client should notice.">
        Drain
      </DeedRow>
      <DeedRow deed={kill(number)} done={done} icon="close" kind="danger" text="Ends at once, as by a crash. Its calls fail; after about three seconds the others take its shards.">
        Kill
      </DeedRow>
      {paused ? (
        <DeedRow deed={resume(number)} done={done} icon="play" kind="primary" text="Goes on, and knows nothing of the pause. The others may have gone on without it.">
          Resume
        </DeedRow>
      ) : (
        <DeedRow
          deed={pauseFor.trim() === '' ? pause(number, '', undefined) : seconds ? pause(number, pauseFor.trim(), seconds) : undefined}
          why={bad} done={done} icon="pause" text="Does nothing for a while, as in a long garbage collection. Without a time: until it is resumed."
          field={<TimeField label="Pause for" value={pauseFor} onChange={setPauseFor} bad={pauseFor.trim() !== '' && !seconds} />}
        >
          Pause
        </DeedRow>
      )}
      <DeedRow
        deed={by === undefined ? undefined : skew(number, skewBy.trim(), by)} why={bad} done={done} icon="clock"
        text={`Sets its clock wrong; 0 sets it right.${skewed === 0 ? '' : ` Now it is off by ${formatDuration(skewed)}.`}`}
        field={<TimeField label="Skew by" value={skewBy} onChange={setSkewBy} bad={by === undefined} />}
      >
        Skew
      </DeedRow>
    </ul>
  );
}

const TimeField = (props: { label: string; value: string; onChange: (value: string) => void; bad: boolean }) => (
  <input
    class="cl-time" aria-label={props.label} value={props.value} aria-invalid={props.bad} spellcheck={false} placeholder="for ever"
    onInput={(event) => props.onChange(event.currentTarget.value)}
  />
);

const SUSPICIOUS = 8;

// How the node itself sees the others.
function Sight({ number }: { number: number }) {
  const { data } = useQuery<NodeDetailJson>(`node ${number}`, (signal) => get(path`/v1/nodes/${number}`, {}, signal), 1_000);
  const peers = data?.peers ?? [];
  return (
    <>
      <h3>How it sees the others</h3>
      {peers.length === 0 ? <p class="muted">{data === undefined ? 'Loading…' : 'It knows of no other node.'}</p> : (
        <div class="cl-scroll" tabIndex={0} role="group" aria-label="How it sees the others">
          <table class="cl-table">
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col">State</th>
                <th scope="col" class="cl-right" title="How suspicious its silence is; from 8 on, unless told otherwise, it counts as unreachable">Phi</th>
                <th scope="col" class="cl-right">Heard</th>
                <th scope="col" class="cl-right" title="Messages that it has not acknowledged">Open</th>
              </tr>
            </thead>
            <tbody>{peers.map((peer) => <PeerRow key={peer.node} peer={peer} />)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

// Short: there is little room.
function heardText(lastHeard: string | undefined): string {
  if (lastHeard === undefined) return 'never';
  const ms = durationMs(lastHeard);
  return ms < 60_000 ? formatDuration(ms) : `${Math.floor(ms / 60_000)} min`;
}

function PeerRow({ peer }: { peer: PeerJson }) {
  const phi = num(peer.phi);
  return (
    <tr>
      <th scope="row">{peer.node}</th>
      <td class={peer.reachable ? '' : 'cl-bad'}>{peer.reachable ? peer.state : `${peer.state}, not heard`}</td>
      <td class={`cl-right ${phi >= SUSPICIOUS ? 'cl-bad' : ''}`}>{phi < 1_000 ? phi.toFixed(1) : '∞'}</td>
      <td class="cl-right">{heardText(peer.lastHeard)}</td>
      <td class="cl-right">{formatCount(num(peer.unacknowledged))}</td>
    </tr>
  );
}
