// Charts of the last minutes' figures, and the same as tables.
import { useMemo, useState } from 'preact/hooks';
import { type Route, setQuery } from '../router';
import { status } from '../state/live';
import { useServices } from '../state/services';
import { useStore } from '../state/store';
import { Button, Card, Command, EmptyState, Page, Select } from '../ui/basics';
import { Chart } from '../ui/chart';
import '../styles/metrics.css';
import { callCharts, type Line, loadCharts, newest, processCharts, storageCharts, timesOf, useSamples } from './metrics/figures';
import { EntityTable, ServiceTable } from './metrics/tables';

const RANGES = [1, 5, 15];

export function MetricsPage({ route }: { route: Route }) {
  const [paused, setPaused] = useState(false);
  const kept = useSamples(paused);
  const services = useServices().data ?? [];
  const asked = Number(route.query.get('minutes'));
  const minutes = RANGES.includes(asked) ? asked : 5;
  const service = route.query.get('service') ?? '';
  const entity = service === '' ? '' : services.find(({ name }) => name === service)?.persistenceId || service;
  const shown = useMemo(() => newest(kept, minutes), [kept, minutes]);
  const times = useMemo(() => timesOf(shown, minutes), [shown, minutes]);
  const of = { service, entity };
  const calls = useMemo(() => callCharts(shown, of), [shown, service, entity]);
  const storage = useMemo(() => storageCharts(shown, of), [shown, service, entity]);
  const load = useMemo(() => loadCharts(shown), [shown]);
  const process = useMemo(() => processCharts(shown), [shown]);
  const range = minutes === 1 ? 'last minute' : `last ${minutes} minutes`;
  const names = [...new Set([...services.map(({ name = '' }) => name), ...(service === '' ? [] : [service])])];
  return (
    <Page
      title="Metrics" label="Metrics"
      actions={
        <>
          <Select
            label="Service" value={service} onChange={(name) => setQuery({ service: name })}
            options={[{ value: '', title: 'All services' }, ...names.map((name) => ({ value: name, title: name }))]}
          />
          <div class="segments" role="group" aria-label="Range">
            {RANGES.map((each) => (
              <Button key={each} pressed={each === minutes} title={`The last ${each} min`} onClick={() => setQuery({ minutes: each === 5 ? null : each })}>
                {each} min
              </Button>
            ))}
          </div>
          <Button icon={paused ? 'play' : 'pause'} pressed={paused} onClick={() => setPaused(!paused)} title="Stops the charts where they are; figures are kept meanwhile">
            {paused ? 'Paused' : 'Pause'}
          </Button>
        </>
      }
    >
      {kept.length === 0 ? (
        <EmptyState icon="metrics" title="The first figures come in a second">
          <p>The emulator counts calls, events and times for each second and keeps the last 15 minutes of them.</p>
        </EmptyState>
      ) : (
        <>
          <Group title={service === '' ? 'Calls' : <>Calls of <code>{service}</code></>} lines={calls} times={times} />
          <Group title={service === '' ? 'Entities and journal' : <>Entities and journal of <code>{service}</code></>} lines={storage} times={times} />
          <Group title="Load of each node: what was under way at one time, on average over each second, of all services" lines={load} times={times} />
          <Group title="Nodes and the emulator’s process, of all services" lines={process} times={times} />
          <Card title="As numbers">
            <ServiceTable shown={shown} service={service} range={range} />
            <EntityTable shown={shown} entity={entity} range={range} />
          </Card>
        </>
      )}
      <Prometheus />
    </Page>
  );
}

function Group({ title, lines, times }: { title: preact.ComponentChildren; lines: Line[]; times: number[] }) {
  return (
    <Card title={title}>
      <div class={`charts charts-${lines.length}`}>
        {lines.map((each) => (
          <Chart key={each.title} title={each.title} times={times} series={each.series} format={each.format} height={150} />
        ))}
      </div>
    </Card>
  );
}

function Prometheus() {
  const address = useStore(status)?.metricsAddress ?? '';
  if (address === '') return null;
  return (
    <Card title="For Prometheus">
      <div class="card-body metrics-prometheus">
        <p>
          The emulator tells the same and more, over its whole life, in Prometheus’s format.
        </p>
        <Command text={`curl http://${address}/metrics`} />
      </div>
    </Card>
  );
}
