// All pages of the dashboard, as the sidebar names them.
export const PAGES = [
  { title: 'Overview', route: '#/', key: 'o' },
  { title: 'Entities', route: '#/entities', key: 'e' },
  { title: 'Calls', route: '#/calls', key: 'c' },
  { title: 'Try it', route: '#/try', key: 't' },
  { title: 'Cluster', route: '#/cluster', key: 'n' },
  { title: 'CRDTs', route: '#/crdts', key: 'd' },
  { title: 'Scaling', route: '#/scaling', key: 's' },
  { title: 'Topics', route: '#/topics', key: 'p' },
  { title: 'Metrics', route: '#/metrics', key: 'm' },
  { title: 'Logs', route: '#/logs', key: 'l' },
  { title: 'Settings', route: '#/settings', key: ',' },
];

export const link = (page, title) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title, exact: true });

// Until the page of that title is there: the heading may tell more, such as a number.
export const shown = (page, title) => page.getByRole('heading', { level: 1, name: title }).waitFor();
