// Scaling is off: what it is, and how to have it.
import { href } from '../../router';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { useRun } from '../../state/use_run';
import { EmptyState, LinkButton } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { plural } from '../../ui/format';
import '../../styles/empty_pages.css';

export function Off() {
  const nodes = useStore(status)?.nodes ?? 1;
  const { served } = useRun();
  return (
    <EmptyState icon="scaling" title="Scaling is off in this run">
      <p>
        Deployed, a user function gets more replicas as its load grows, fewer as it shrinks, and none at all while nobody calls it. Who
        decides that, by which figures and settings, is what this page shows. Replicas are real processes where the emulator starts the user
        function, so a cold start here is one.
      </p>
      <section class="today">
        <h3>Start the emulator with one of</h3>
        <p>Knative’s autoscaler, by concurrency or calls per second, panic, scale to zero:</p>
        <CliCommand words={['run', '--scaling', 'knative', ...served]} />
        <p>The autoscaler of the published Cloudstate proxy, by concurrency of the user function and of requests:</p>
        <CliCommand words={['run', '--scaling', 'cloudstate', ...served]} />
        <p>Your own hands: as many replicas as you say, from this page or a terminal:</p>
        <CliCommand words={['run', '--scaling', 'manual', ...served]} />
        <h3>Without a run</h3>
        <p>Play an hour of load in less than a second, and see what an algorithm would make of it:</p>
        <CliCommand words={['scale', 'simulate', '--load', 'sine 10/s to 100/s every 10m for 1h', '--service', '20ms', '--scale-target', '5']} />
        <ul>
          <li>
            <span>{plural(nodes, 'node')} {nodes === 1 ? 'runs' : 'run'} now. Add, drain or kill one by hand.</span>
            <LinkButton href={href(['cluster'])} icon="cluster">Cluster</LinkButton>
          </li>
          <li>
            <span>See what a decision would be made of: the load of each node.</span>
            <LinkButton href={href(['metrics'])} icon="metrics">Metrics</LinkButton>
          </li>
        </ul>
      </section>
    </EmptyState>
  );
}
