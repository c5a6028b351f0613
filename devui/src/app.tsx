// The frame around all pages: where one can go, and how the emulator is.
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useRef, useState } from 'preact/hooks';
import { CallsPage } from './pages/calls/calls_page';
import { ClusterPage } from './pages/cluster/cluster_page';
import { CrdtsPage } from './pages/crdts/crdts_page';
import { EntitiesPage } from './pages/entities/entities_page';
import { LogsPage } from './pages/logs_page';
import { MetricsPage } from './pages/metrics_page';
import { OverviewPage } from './pages/overview_page';
import { ScalingPage } from './pages/scaling/scaling_page';
import { SettingsPage } from './pages/settings_page';
import { TopicsPage } from './pages/topics_page';
import { TryPage } from './pages/try/try_page';
import { href, type Route, useRoute } from './router';
import { connection, refreshStatus, samples, status } from './state/live';
import { useStore } from './state/store';
import { Announcements } from './ui/announce';
import { Badge, Button, Dot, EmptyState, Page } from './ui/basics';
import { Sparkline } from './ui/chart';
import { formatRate, num } from './ui/format';
import { Icon, type IconName } from './ui/icon';
import { Keyboard } from './ui/keyboard';
import { isIdle, userFunctionState } from './ui/user_function_state';

interface PageEntry {
  name: string;
  key: string;
  title: string;
  icon: IconName;
  page: ComponentType<{ route: Route }>;
}

const PAGES: PageEntry[] = [
  { name: '', key: 'o', title: 'Overview', icon: 'overview', page: OverviewPage },
  { name: 'entities', key: 'e', title: 'Entities', icon: 'entities', page: EntitiesPage },
  { name: 'calls', key: 'c', title: 'Calls', icon: 'calls', page: CallsPage },
  { name: 'try', key: 't', title: 'Try it', icon: 'try', page: TryPage },
  { name: 'cluster', key: 'n', title: 'Cluster', icon: 'cluster', page: ClusterPage },
  { name: 'crdts', key: 'd', title: 'CRDTs', icon: 'crdts', page: CrdtsPage },
  { name: 'scaling', key: 's', title: 'Scaling', icon: 'scaling', page: ScalingPage },
  { name: 'topics', key: 'p', title: 'Topics', icon: 'topics', page: TopicsPage },
  { name: 'metrics', key: 'm', title: 'Metrics', icon: 'metrics', page: MetricsPage },
  { name: 'logs', key: 'l', title: 'Logs', icon: 'logs', page: LogsPage },
  { name: 'settings', key: ',', title: 'Settings', icon: 'settings', page: SettingsPage },
];

export function App() {
  const route = useRoute();
  const name = route.segments[0] ?? '';
  const path = route.segments.join('/');
  const entry = PAGES.find((each) => each.name === name);
  const keys = useMemo(() => PAGES.map((each) => ({ key: each.key, title: each.title, href: href(each.name === '' ? [] : [each.name]) })), []);
  const main = useRef<HTMLElement>(null);
  const shown = useRef<string>();
  useEffect(() => {
    // Whoever cannot see that the page has changed hears it; and where the focus was may have gone with what was there.
    const isFirst = shown.current === undefined;
    if (!isFirst && (shown.current !== name || document.activeElement === document.body)) {
      main.current?.querySelector('h1')?.focus({ preventScroll: true });
    }
    shown.current = name;
    main.current?.scrollTo(0, 0);
  }, [path]);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        Skip to the page
      </a>
      <Sidebar current={name} />
      <div class="content">
        <ConnectionBanner />
        <main id="main" ref={main} tabIndex={-1}>
          {entry ? <Guarded path={path}><entry.page route={route} /></Guarded> : (
            <Page title="Not found" label="Not found">
              <EmptyState icon="search" title="There is no such page">
                <a href={href([])}>To the overview</a>
              </EmptyState>
            </Page>
          )}
        </main>
      </div>
      <Announcements />
      <Keyboard pages={keys} />
    </div>
  );
}

// A page that fails is a page less, not all of them.
function Guarded({ path, children }: { path: string; children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  useEffect(reset, [path]);
  if (error === undefined) return <>{children}</>;
  return (
    <EmptyState icon="alert" title="This page has failed">
      <p>{String(error)}</p>
      <p>It is a mistake in the dashboard. The other pages go on.</p>
      <Button icon="refresh" onClick={reset}>Try again</Button>
    </EmptyState>
  );
}

function Sidebar({ current }: { current: string }) {
  return (
    <nav class="sidebar" aria-label="Pages">
      <a class="brand" href={href([])} aria-label="cloudstate-dev">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M9 21a4.5 4.5 0 0 1 .6-8.9 7 7 0 0 1 13.2 1.6A3.8 3.8 0 0 1 23 21z" />
        </svg>
        <span>cloudstate-dev</span>
      </a>
      <ul>
        {PAGES.map(({ name, key, title, icon }) => (
          <li key={name}>
            <a href={href(name === '' ? [] : [name])} aria-current={name === current ? 'page' : undefined} title={`${title} (g ${key})`}>
              <Icon name={icon} />
              <span>{title}</span>
            </a>
          </li>
        ))}
      </ul>
      <Pulse />
    </nav>
  );
}

// The user function's state and the last minute's calls, on every page.
function Pulse() {
  const now = useStore(status);
  const kept = useStore(samples);
  const { state } = useStore(connection);
  const calls = kept.slice(-60).map((sample) => num(sample.calls?.calls));
  const known = userFunctionState(now?.userFunction?.state);
  return (
    <div class="pulse">
      <div class="pulse-line">
        <Dot tone={state === 'connected' ? known.tone : 'bad'} label={state === 'connected' ? `User function: ${known.text}` : 'The emulator does not answer'} />
        <span class="pulse-name">{now?.userFunction?.serviceName || 'user function'}</span>
        {isIdle(now) && <Badge tone="accent" title="Scaled to zero; calls are held until there is a replica">zero</Badge>}
        {now?.readOnly && <Badge title="Started with --read-only">read-only</Badge>}
      </div>
      <Sparkline values={calls} label={`Calls in the last minute, now ${formatRate(calls.at(-1) ?? 0)}`} />
      <div class="pulse-rate">{formatRate(calls.at(-1) ?? 0)}</div>
    </div>
  );
}

function ConnectionBanner() {
  const { state, since, foreign } = useStore(connection);
  const [, setTurn] = useState(0);
  useEffect(() => {
    if (state !== 'lost') return;
    const timer = window.setInterval(() => setTurn((turn) => turn + 1), 1_000);
    return () => window.clearInterval(timer);
  }, [state]);
  if (state === 'lost') {
    return (
      <div class="banner banner-bad" role="alert">
        <Icon name="alert" />
        <span>
          The emulator has not answered for {Math.max(0, Math.round((Date.now() - since) / 1_000))} s. What you see is from before. This page
          goes on by itself once <code>cloudstate-dev run</code> is there again.
        </span>
        <Button small onClick={refreshStatus}>Try now</Button>
      </div>
    );
  }
  if (foreign) {
    return (
      <div class="banner" role="alert">
        <Icon name="refresh" />
        <span>Another version of cloudstate-dev runs now.</span>
        <Button small onClick={() => location.reload()}>Reload the page</Button>
      </div>
    );
  }
  return null;
}
