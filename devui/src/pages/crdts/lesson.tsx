// How to see replicas differ and agree again, step by step.
import type { CrdtDetailJson } from '../../api/contract';
import { href } from '../../router';
import { Command } from '../../ui/basics';
import { runs } from '../cluster/data';
import { DeedButton } from '../cluster/deed_row';
import { heal, partition } from '../cluster/steering';

export function Lesson({ detail, done }: { detail: CrdtDetailJson; done: () => void }) {
  const nodes = (detail.replicas ?? []).filter(runs).map(({ node = 0 }) => node);
  const service = detail.crdt?.services?.[0] ?? '';
  const entity = detail.crdt?.entityId;
  if (nodes.length < 2) {
    return (
      <section class="card crdt-lesson" aria-label="See replicas differ">
        <h2>One node has nobody to differ from</h2>
        <p class="muted">Start with several nodes to see replicas differ and agree again.</p>
        <Command text="cloudstate-dev run --nodes 3 --acceptable-pause 1m" />
      </section>
    );
  }
  const [far, near] = [nodes.at(-1)!, nodes[0]!];
  const parting = partition([nodes.slice(0, -1), [far]]);
  return (
    <section class="card crdt-lesson" aria-label="See replicas differ">
      <h2>See replicas differ</h2>
      <ol>
        <li>
          <DeedButton deed={parting} done={done} icon="cut">Cut node {far} off</DeedButton>
          <span>from the others. Or cut a single link on the <a href={href(['cluster'])}>Cluster</a> page.</span>
        </li>
        <li>
          <span>
            <a href={href(['try', service], { entity })}>Try it</a>: write to this entity at node {near}, and at node {far}. Both are answered, by what the node knows.
          </span>
        </li>
        <li><span>Look at what differs, and why.</span></li>
        <li>
          <DeedButton deed={heal()} done={done} icon="heal">Heal the network</DeedButton>
          <span>and they agree again: nothing is lost, nothing counted twice.</span>
        </li>
      </ol>
      <p class="muted">
        A node that is cut off is declared down after some three seconds, and takes no more calls, unless the emulator was started with <code>--acceptable-pause 1m</code>.
      </p>
    </section>
  );
}
