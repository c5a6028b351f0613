// A link: what went over it, and what can be done to it.
import type { ComponentChildren } from 'preact';
import type { LinkStateJson } from '../../api/contract';
import { cut, cutBoth, heal } from '../../state/steering';
import { Badge } from '../../ui/basics';
import { formatBytes, formatCount, formatRate, num } from '../../ui/format';
import { type Cluster, linkText, linkTone, type Pair } from './data';
import { DeedRow } from './deed_row';
import { LinkForm } from './link_form';

export function LinkPanel({ link, cluster, done }: { link: string; cluster: Cluster; done: () => void }) {
  const pair = cluster.pairs.find(({ key }) => key === link);
  if (pair === undefined) return <p class="cl-pad muted">There is no such link. Nodes that do not run have none.</p>;
  const { a, b, there, back } = pair;
  const disturbed = there.cut || back.cut || linkTone(there) !== 'good' || linkTone(back) !== 'good';
  return (
    <div class="cl-panel">
      {pair.parted && <p class="cl-note">A partition lies between them: nothing gets through until it is healed.</p>}
      <Counters pair={pair} />
      <h3>What can be done</h3>
      <ul class="cl-deeds">
        <DeedRow deed={cut(a, b)} done={done} icon="cut" text={`Node ${b} does not hear node ${a} any more; the way back stays. One of them has to go.`}>
          Cut {a} → {b}
        </DeedRow>
        <DeedRow deed={cut(b, a)} done={done} icon="cut" text={`Node ${a} does not hear node ${b} any more; the way back stays.`}>
          Cut {b} → {a}
        </DeedRow>
        <DeedRow deed={cutBoth(a, b)} done={done} icon="cut" kind="danger" text="Neither hears the other. Nodes that others still hear agree on which of the two goes.">
          Cut both ways
        </DeedRow>
        <DeedRow
          deed={heal()} done={done} icon="heal" kind={disturbed ? 'primary' : 'plain'}
          text="Ends all cuts, the partition, and what was set for single links; not for this link alone."
        >
          Heal all
        </DeedRow>
      </ul>
      <h3>Make it slow</h3>
      <LinkForm key={link} pair={pair} done={done} />
    </div>
  );
}

function Counters({ pair: { there, back, rates } }: { pair: Pair }) {
  const rows: [string, (link: LinkStateJson, rate: number | undefined) => ComponentChildren, string?][] = [
    ['Now', (link) => <Badge tone={linkTone(link)}>{linkText(link)}</Badge>],
    ['Arrive', (_, rate) => (rate === undefined ? '–' : formatRate(rate))],
    ['Sent', (link) => formatCount(num(link.sent))],
    ['Bytes', (link) => formatBytes(num(link.sentBytes))],
    ['Lost', (link) => formatCount(num(link.lost)), 'By chance or by a cut'],
    ['Twice', (link) => formatCount(num(link.duplicated)), 'Delivered twice'],
    ['On their way', (link) => formatCount(num(link.inFlight))],
  ];
  return (
    <table class="cl-table">
      <thead>
        <tr>
          <th scope="col">Messages</th>
          <th scope="col" class="cl-right">{there.from} → {there.to}</th>
          <th scope="col" class="cl-right">{back.from} → {back.to}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([title, show, hint]) => (
          <tr key={title}>
            <th scope="row" title={hint}>{title}</th>
            <td class="cl-right">{show(there, rates?.there)}</td>
            <td class="cl-right">{show(back, rates?.back)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
