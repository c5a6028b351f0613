// Is all well, what happens, and what can be done here.
import { useMemo } from 'preact/hooks';
import { href, type Route } from '../router';
import { status } from '../state/live';
import { useStore } from '../state/store';
import { Button, LinkButton, Loading, Page } from '../ui/basics';
import '../styles/overview.css';
import { useServices } from '../state/services';
import { isCallable } from '../ui/user_function_state';
import { newest, useSamples } from './metrics/figures';
import { FirstSteps } from './overview/first_steps';
import { Health } from './overview/health';
import { FailedCalls, NewestEvents, useFailedCalls, useNewestEvents } from './overview/newest';
import { hideSteps, progress } from './overview/progress';
import { Rates } from './overview/rates';
import { Services } from './overview/services';

export function OverviewPage(_: { route: Route }) {
  const now = useStore(status);
  const kept = useSamples();
  const shown = useMemo(() => newest(kept, 5), [kept]);
  const { hidden } = useStore(progress);
  const { data: services = [] } = useServices();
  const events = useNewestEvents(shown, now);
  const failed = useFailedCalls(shown);
  if (now === undefined) {
    return <Page title="Overview" label="Overview"><Loading what="the status" /></Page>;
  }
  const ready = isCallable(now.userFunction?.state);
  return (
    <Page
      title="Overview" label="Overview"
      actions={
        <>
          {hidden && <Button icon="check" onClick={() => hideSteps(false)}>First steps</Button>}
          {ready && <LinkButton href={href(['try'])} icon="try" kind="primary">Try it</LinkButton>}
        </>
      }
    >
      <div class={hidden ? 'overview-top' : 'overview-top overview-top-steps'}>
        <Health now={now} />
        {!hidden && <FirstSteps now={now} services={services} shown={shown} newest={events.data?.[0]} />}
      </div>
      {(ready || kept.some(({ calls }) => calls?.p50 !== undefined)) && <Rates shown={shown} />}
      {(ready || (events.data?.length ?? 0) > 0) && (
        <div class="grid-2">
          <NewestEvents query={events} />
          <FailedCalls query={failed} />
        </div>
      )}
      <Services services={services} />
    </Page>
  );
}
