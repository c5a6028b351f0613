// What concerns the cluster as a whole: who is there, a partition, and what all links do.
import { setQuery } from '../../router';
import { addNode, heal, partition } from '../../state/steering';
import { Button, Stat, Stats } from '../../ui/basics';
import { useRefusal } from '../../ui/deed';
import { runs } from '../../ui/node_state';
import { type Cluster, settingsText } from './data';
import { DeedLine, DeedRow } from './deed_row';
import { LinkForm } from './link_form';

export function WholePanel({ cluster, done }: { cluster: Cluster; done: () => void }) {
  const refusal = useRefusal();
  const up = cluster.nodes.filter(({ state, paused }) => state === 'up' && !paused).length;
  const disturbed = cluster.pairs.filter(({ there, back }) => there.cut || back.cut || settingsText(there.settings) || settingsText(back.settings)).length;
  return (
    <div class="cl-panel">
      <p class="muted">Choose a node or a link to see what can be done to it, or begin here.</p>
      <Stats>
        <Stat label="Nodes up">{up} of {cluster.nodes.length}</Stat>
        <Stat label="Shards at home">{cluster.nodes.reduce((sum, { shards = 0 }) => sum + shards, 0)}</Stat>
        <Stat label="Links disturbed">{disturbed}</Stat>
      </Stats>
      <ul class="cl-deeds">
        <DeedRow deed={addNode()} done={done} icon="plus" text="One more node joins, and gets its part of the shards, two at a time.">
          Add a node
        </DeedRow>
        <li class="cl-deed">
          <p>Divides the network into groups that do not reach each other. The larger part goes on; the others refuse.</p>
          <div class="cl-deed-do">
            <Button
              small icon="cut" disabled={refusal !== undefined || cluster.nodes.length < 2} {...(refusal ? { title: refusal } : {})}
              onClick={() => setQuery({ part: firstChoice(cluster) })}
            >
              Choose groups
            </Button>
          </div>
        </li>
        <DeedRow deed={heal()} done={done} icon="heal" text="Ends partition, cuts, and what was set for single links. What was set for all links stays.">
          Heal all
        </DeedRow>
      </ul>
      <details class="cl-details">
        <summary>
          Settings of all links <span class="muted">{settingsText(cluster.defaults) || 'perfect'}</span>
        </summary>
        <LinkForm settings={cluster.defaults} done={done} />
      </details>
    </div>
  );
}

const numbersOf = (cluster: Cluster) => cluster.nodes.filter(runs).map(({ node = 0 }) => node);

// The youngest alone; or the partition that there is.
function firstChoice(cluster: Cluster): string {
  if (cluster.groups.length > 1) return cluster.groups.map((group) => group.join(',')).join('/');
  const numbers = numbersOf(cluster);
  return `${numbers.slice(0, -1).join(',')}/${numbers.slice(-1).join(',')}`;
}

const LETTERS = 'ABCDEF';

// "1,2/3" as each node's group; who is not named is in the first one.
export function choiceOf(part: string, cluster: Cluster): Map<number, string> {
  const choice = new Map(cluster.nodes.map(({ node = 0 }) => [node, LETTERS[0]!]));
  part.split('/').slice(0, LETTERS.length).forEach((group, i) => {
    for (const each of group.split(',').map(Number)) if (choice.has(each)) choice.set(each, LETTERS[i]!);
  });
  return choice;
}

const groupsOf = (choice: Map<number, string>): number[][] =>
  [...LETTERS].map((letter) => [...choice].filter(([, group]) => group === letter).map(([node]) => node)).filter((group) => group.length > 0);

// The node goes on to the next group, of as many as there may be.
export function cycle(choice: Map<number, string>, node: number): string {
  const most = Math.min(LETTERS.length, choice.size);
  const next = LETTERS[(LETTERS.indexOf(choice.get(node)!) + 1) % most]!;
  const changed = new Map(choice).set(node, next);
  return [...LETTERS].map((letter) => [...changed].filter(([, group]) => group === letter).map(([each]) => each).join(',')).join('/').replace(/\/+$/, '');
}

export function PartitionPanel({ choice, done }: { choice: Map<number, string>; done: () => void }) {
  const groups = groupsOf(choice);
  const deed = groups.length > 1 ? partition(groups) : undefined;
  const close = () => setQuery({ part: null });
  return (
    <div class="cl-panel">
      <p>Click nodes, here or in the picture, to move them to another group.</p>
      <ul class="cl-choice">
        {[...choice].map(([node, group]) => (
          <li key={node}>
            <button type="button" onClick={() => setQuery({ part: cycle(choice, node) })} aria-label={`Node ${node}: group ${group}`}>
              <span>Node {node}</span>
              <span class="cl-group">{group}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="muted">{groups.length < 2 ? 'All nodes are in one group: put some into another one.' : outcome(groups)}</p>
      <DeedLine
        deed={deed} kind="primary" icon="cut" why="All nodes are in one group." beside={<Button small onClick={close}>Cancel</Button>}
        done={() => {
          close();
          done();
        }}
      >
        Divide
      </DeedLine>
    </div>
  );
}

function outcome(groups: number[][]): string {
  const all = groups.flat().length;
  const after = 'The others go down after some seconds and refuse calls, until the network is healed.';
  const majority = groups.find((group) => group.length * 2 > all);
  if (majority) return `${majority.length === 1 ? `Node ${majority[0]} goes` : `Nodes ${majority.join(', ')} go`} on, if they are up. ${after}`;
  if (groups.some((group) => group.length * 2 === all)) return `The half with the oldest node goes on. ${after}`;
  return 'No group is large enough: all nodes go down, until more than half of them hear each other again.';
}
