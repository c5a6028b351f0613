// Of which nodes' writes each replica knows which.
import type { CrdtReplicaJson, CrdtWritesJson } from '../../api/contract';
import { rangesText } from './texts';

const writerOf = ({ node, incarnation }: CrdtWritesJson) => `node ${node}, life ${incarnation}`;

export function WritesTable({ replicas }: { replicas: CrdtReplicaJson[] }) {
  const writers = [...new Map(replicas.flatMap(({ writes = [] }) => writes.map((each) => [writerOf(each), each] as const)))];
  return (
    <details class="card crdt-writes">
      <summary>
        <h2>Writes known</h2> <span class="muted">which write of which node each replica knows</span>
      </summary>
      <div class="crdt-scroll" tabIndex={0} role="group" aria-label="Writes known">
        <table>
          <thead>
            <tr>
              <th scope="col">Written by</th>
              {replicas.map(({ node }) => <th scope="col" key={node}>Node {node} knows</th>)}
            </tr>
          </thead>
          <tbody>
            {writers.map(([writer, { over }]) => {
              const known = replicas.map(({ writes = [] }) => writes.find((each) => writerOf(each) === writer));
              const texts = known.map((each) => (each === undefined ? '–' : rangesText(each)));
              const differs = new Set(texts).size > 1;
              return (
                <tr key={writer}>
                  <th scope="row">{writer}{over ? ' (over)' : ''}</th>
                  {texts.map((text, i) => <td key={i} class={differs ? 'crdt-other' : ''}>{text}{differs ? ' ≠' : ''}</td>)}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
