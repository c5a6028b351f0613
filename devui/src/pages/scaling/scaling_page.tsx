// #/scaling?view=settings&at=2026-11-27T12:00:00.5Z&kind=decision&minutes=15&all=1: how many replicas there are, why, and with which
// settings. `at` is the event that was chosen, by its time.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ScalingEventJson, ScalingStateJson } from '../../api/contract';
import { type Route, setQuery } from '../../router';
import { useSoon } from '../../state/use_soon';
import { Badge, Button, Card, ErrorBox, Loading, Page, Tabs } from '../../ui/basics';
import '../../styles/metrics.css';
import '../../styles/scaling.css';
import { Charts } from './charts';
import { isOff, isTick, keyOf, useScaling, useScalingEvents } from './data';
import { Decisions } from './decisions';
import { EventPanel } from './event_panel';
import { Head } from './head';
import { Off } from './off';
import { Replicas } from './replicas';
import { Settings } from './settings';

export function ScalingPage({ route }: { route: Route }) {
  const { data, error, reload } = useScaling();
  const title = (
    <>
      Scaling {data && !isOff(data) && <Badge title={ABOUT[String(data.realProcesses ?? false)]!}>{data.realProcesses ? 'real processes' : 'simulated replicas'}</Badge>}
    </>
  );
  return (
    <Page title={title} label="Scaling">
      {/* The banner above tells that it is not there. */}
      {error && error.code !== 'UNREACHABLE' && <ErrorBox error={error} onRetry={reload} />}
      {data === undefined ? (!error || error.code === 'UNREACHABLE') && <Loading what="scaling" /> : isOff(data) ? <Off /> : <Body route={route} state={data} reload={reload} />}
    </Page>
  );
}

const ABOUT: Record<string, string> = {
  true: 'Each replica has a process of the user function that the emulator starts and ends',
  false: 'Replicas are nodes that share one user function; a cold start lasts as long as the setting cold-start tells',
};

const VIEWS = ['decisions', 'replicas', 'settings'];

function Body({ route, state, reload }: { route: Route; state: ScalingStateJson; reload: () => void }) {
  const events = useScalingEvents();
  const soon = useSoon(reload);
  const panel = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<ScalingEventJson>();
  const view = VIEWS.find((each) => each === route.query.get('view')) ?? 'decisions';
  const at = route.query.get('at');
  const chosen = at === null ? undefined : events?.find((event) => keyOf(event) === at);
  const newest = events?.filter((event) => event.kind === 'decision' || isTick(event)).at(-1) ?? events?.at(-1);
  // The state follows what is told about it; it is asked for every second anyway.
  const change = events?.filter((event) => !isTick(event)).at(-1);
  useEffect(soon, [change]);
  const choose = (event: ScalingEventJson | undefined) => {
    setHovered(undefined);
    setQuery({ at: event === undefined ? null : keyOf(event) });
  };
  return (
    <>
      <Head state={state} done={reload} onDecision={choose} />
      <div class="sc-main">
        <Charts state={state} events={events ?? []} route={route} chosen={chosen} hovered={hovered} onHover={setHovered} onChoose={choose} />
        <Card
          class="sc-panel" label="What it was made of" title={hovered ? 'At the mark' : chosen ? 'Chosen' : 'Newest'}
          actions={chosen && <Button kind="quiet" small icon="close" label="Back to the newest" onClick={() => choose(undefined)} />}
        >
          <div class="card-body sc-panel-body" ref={panel} tabIndex={0} role="group" aria-label="Figures">
            {at !== null && events !== undefined && chosen === undefined && hovered === undefined ? (
              <p class="muted">Nothing is kept of that time: the emulator keeps 1,000 events and 900 ticks.</p>
            ) : (
              <EventPanel event={hovered ?? chosen ?? newest} settings={state.settings ?? []} />
            )}
          </div>
        </Card>
      </div>
      <Card class="sc-views">
        <Tabs
          label="Scaling" active={view}
          tabs={[{ key: 'decisions', title: 'Decisions' }, { key: 'replicas', title: `Replicas ${(state.replicas ?? []).length}` }, { key: 'settings', title: 'Settings' }]}
        >
          {view === 'replicas' ? <Replicas replicas={state.replicas ?? []} mode={state.mode} />
          : view === 'settings' ? <Settings route={route} state={state} done={reload} />
          : <Decisions events={events} kind={route.query.get('kind') ?? ''} at={at} onChoose={choose} onOpen={() => panel.current?.focus()} />}
        </Tabs>
      </Card>
    </>
  );
}
