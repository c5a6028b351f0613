// What a person chose for this browser.
import { createStore } from './store';

type Theme = 'system' | 'light' | 'dark';
type TimeStyle = 'local' | 'utc';

const KEY = 'cloudstate-dev';

interface Preferences {
  theme: Theme;
  times: TimeStyle;
}

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
    return {
      theme: kept.theme === 'light' || kept.theme === 'dark' ? kept.theme : 'system',
      times: kept.times === 'utc' ? 'utc' : 'local',
    };
  } catch {
    return { theme: 'system', times: 'local' }; // a browser that keeps nothing, or something else under this name
  }
}

export const preferences = createStore<Preferences>(read());

export function applyTheme(): void {
  const { theme } = preferences.get();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setPreferences(changes: Partial<Preferences>): void {
  preferences.set({ ...preferences.get(), ...changes });
  applyTheme();
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.get()));
  } catch {
    // Kept for as long as the page is there.
  }
}
