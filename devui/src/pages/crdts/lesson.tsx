// How to see replicas differ and agree again, step by step.
import type { CrdtDetailJson } from '../../api/contract';
import { href } from '../../router';
import { heal, partition, secondsOf } from '../../state/steering';
import { useRun } from '../../state/use_run';
import { CliCommand } from '../../ui/cli';
import { DeedButton } from '../../ui/deed';
import { runs } from '../../ui/node_state';
import { useWriteHref } from './write_links';

// Within this the lesson is done.
const LONG_SECONDS = 30;

export function Lesson({ detail, done }: { detail: CrdtDetailJson; done: () => void }) {
  const nodes = (detail.replicas ?? []).filter(runs).map(({ node = 0 }) => node);
  const run = usePatience();
  const writeAt = useWriteHref(detail.crdt);
  if (nodes.length < 2) {
    return (
      <section class="card crdt-lesson" aria-label="See replicas differ">
        <h2>One node has nobody to differ from</h2>
        <p class="muted">Start with several nodes to see replicas differ and agree again.</p>
        <CliCommand words={run.words(3)} />
      </section>
    );
  }
  const [far, near] = [nodes.at(-1)!, nodes[0]!];
  const parting = partition([nodes.slice(0, -1), [far]]);
  return (
    <section class="card crdt-lesson" aria-label="See replicas differ">
      <h2>See replicas differ</h2>
      {run.impatient && (
        <div class="crdt-before">
          <p>
            In this run the others declare a node down a few seconds after it was cut off, and then it refuses calls. To have the time to
            write to it, start the emulator like this:
          </p>
          <CliCommand words={run.words(nodes.length)} />
        </div>
      )}
      <ol>
        <li>
          <DeedButton deed={parting} done={done} icon="cut">Cut node {far} off</DeedButton>
          <span>from the others. Or cut a single link on the <a href={href(['cluster'])}>Cluster</a> page.</span>
        </li>
        <li>
          <span>
            Write to this entity <a href={writeAt(near)}>at node {near}</a>, and <a href={writeAt(far)}>at node {far}</a>. Both are answered, by
            what the node knows.
          </span>
        </li>
        <li><span>Look at what differs, and why.</span></li>
        <li>
          <DeedButton deed={heal()} done={done} icon="heal">Heal the network</DeedButton>
          <span>and they agree again: nothing is lost, nothing counted twice.</span>
        </li>
      </ol>
    </section>
  );
}

// How to start this run so that nodes bear with one another, and whether they do.
function usePatience() {
  const { valueOf, served } = useRun();
  return {
    impatient: (secondsOf(valueOf('--acceptable-pause')) ?? Infinity) < LONG_SECONDS,
    words: (nodes: number) => ['run', '--nodes', String(nodes), '--acceptable-pause', '1m', ...served],
  };
}
