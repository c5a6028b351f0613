// Drawn here: lines on a grid of 24.
const PATHS = {
  overview: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z',
  entities: 'M12 3c4.4 0 8 1.3 8 3s-3.6 3-8 3-8-1.3-8-3 3.6-3 8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  calls: 'M4 7h12M12 3l4 4-4 4M20 17H8M12 13l-4 4 4 4',
  try: 'M5 4l14 8-14 8z',
  cluster: 'M12 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM5 15a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM19 15a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM10.5 8.6L6.5 15.4M13.5 8.6l4 6.8M8 18h8',
  crdts: 'M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM15 10a5 5 0 1 1 0 10 5 5 0 0 1 0-10z',
  scaling: 'M4 20V14h4v6M10 20V9h4v11M16 20V4h4v16',
  topics: 'M4 6h16M4 12h10M4 18h13M18 10l3 2-3 2z',
  metrics: 'M3 17l5-6 4 4 8-9M20 6h-4M20 6v4',
  logs: 'M5 5h14M5 9h9M5 13h14M5 17h7',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  search: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L21 21',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 3l10 18H2zM12 10v5M12 17.5v.5',
  close: 'M6 6l12 12M18 6L6 18',
  right: 'M9 5l7 7-7 7',
  left: 'M15 5l-7 7 7 7',
  down: 'M5 9l7 7 7-7',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4l12 8-12 8z',
  stop: 'M6 6h12v12H6z',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  fork: 'M7 4v10M7 14a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM17 4a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM17 10c0 4-4 4-7.5 5.5',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  clock: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5l3.5 2',
  diff: 'M7 4v8M3 8h8M13 18h8M5 20L19 4',
  cut: 'M4 12h5M15 12h5M10 8l4 8M14 8l-4 8',
  heal: 'M12 20s-8-4.8-8-10.3A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 8 2.7C20 15.2 12 20 12 20z',
  refresh: 'M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7',
  plus: 'M12 5v14M5 12h14',
  send: 'M4 12l16-8-6 16-3-7z',
  snapshot: 'M4 7h4l1.5-2h5L16 7h4v12H4zM12 10a3 3 0 1 1 0 6 3 3 0 0 1 0-6z',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
