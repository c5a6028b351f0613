// What will be here: topics between services.
import { href, type Route } from '../router';
import { Command, EmptyState, LinkButton, Page } from '../ui/basics';
import { CliCommand } from '../ui/cli';
import '../styles/empty_pages.css';

export function TopicsPage(_: { route: Route }) {
  return (
    <Page title="Topics" label="Topics">
      <EmptyState icon="topics" title="Topics are still to come">
        <p>
          Services can be told what others have stored, by subscribing to their events or to a topic of a message broker. This page will show
          each topic with its messages, who has subscribed, and how far each of them has come. This version delivers nothing to subscribers.
        </p>
        <section class="today">
          <h3>What you can do today</h3>
          <ul>
            <li>
              <span>Pass work on with side effects and forwards. Each call shows what it set off, step by step.</span>
              <LinkButton href={href(['calls'])} icon="calls">Calls</LinkButton>
            </li>
            <li>
              <span>Look through what entities have stored, in the order of its commits.</span>
              <LinkButton href={href(['entities'])} icon="entities">Entities</LinkButton>
            </li>
          </ul>
          <p>Follow all events from a terminal, or from a program of yours:</p>
          <CliCommand words={['journal', 'tail', '--follow']} />
          <Command text={`curl -N '${location.origin}/v1/events:watch'`} />
          <p>See how an action passes calls on to two carts:</p>
          <CliCommand words={['run', '--sample', 'checkout']} />
        </section>
      </EmptyState>
    </Page>
  );
}
