// What a person chose for this browser.
import { kept } from './kept';
import { createStore } from './store';

type Theme = 'system' | 'light' | 'dark';
type TimeStyle = 'local' | 'utc';

const KEY = 'cloudstate-dev';

interface Preferences {
  theme: Theme;
  times: TimeStyle;
  keys: 'on' | 'off';
}

const keptHere = kept<Preferences>(KEY, (found) => {
  const { theme, times, keys } = (found ?? {}) as Partial<Preferences>;
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    times: times === 'utc' ? 'utc' : 'local',
    keys: keys === 'off' ? 'off' : 'on',
  };
});

export const preferences = createStore<Preferences>(keptHere.get() ?? { theme: 'system', times: 'local', keys: 'on' });

export function applyTheme(): void {
  const { theme } = preferences.get();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setPreferences(changes: Partial<Preferences>): void {
  preferences.set({ ...preferences.get(), ...changes });
  applyTheme();
  keptHere.set(preferences.get());
}
