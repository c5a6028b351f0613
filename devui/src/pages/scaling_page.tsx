// What will be here: how a real cluster would grow and shrink under this load.
import { href, type Route } from '../router';
import { status } from '../state/live';
import { useStore } from '../state/store';
import { EmptyState, LinkButton, Page } from '../ui/basics';
import { CliCommand } from '../ui/cli';
import { plural } from '../ui/format';
import '../styles/empty_pages.css';

export function ScalingPage(_: { route: Route }) {
  const nodes = useStore(status)?.nodes ?? 1;
  return (
    <Page title="Scaling" label="Scaling">
      <EmptyState icon="scaling" title="Scaling by itself is still to come">
        <p>
          A deployed stateful service gets more or fewer nodes as its load changes. This page will play that: the target that you set, the
          load that was measured, and each decision with its reason. This version decides nothing by itself.
        </p>
        <section class="today">
          <h3>What you can do today</h3>
          <ul>
            <li>
              <span>
                {plural(nodes, 'node')} run now. Add one, drain one or kill one by hand, and watch the shards move.
              </span>
              <LinkButton href={href(['cluster'])} icon="cluster">Cluster</LinkButton>
            </li>
            <li>
              <span>See what a decision would be made of: calls, waiting commands and active entities of each node.</span>
              <LinkButton href={href(['metrics'])} icon="metrics">Metrics</LinkButton>
            </li>
          </ul>
          <p>The same from a terminal:</p>
          <CliCommand words={['nodes', 'add']} />
          <CliCommand words={['run', '--nodes', '3']} />
        </section>
      </EmptyState>
    </Page>
  );
}
