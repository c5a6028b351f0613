// Keys that work everywhere: g and a letter goes to a page, / searches, ? tells all of them. They can be turned off, since whoever
// speaks to the computer may say letters (WCAG 2.1.4).
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from './dialog';
import { navigate } from '../router';
import { preferences } from '../state/preferences';
import { useStore } from '../state/store';

interface Shortcut {
  keys: string;
  text: string;
}

const EVERYWHERE: Shortcut[] = [
  { keys: '/', text: 'Search on this page' },
  { keys: '?', text: 'These keys' },
  { keys: '↑ ↓ PgUp PgDn Home End', text: 'Move in a table' },
  { keys: 'Enter', text: 'Open the row' },
  { keys: 'Esc', text: 'Close' },
];

export const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function Keyboard({ pages }: { pages: { key: string; title: string; href: string }[] }) {
  const [help, setHelp] = useState(false);
  const { keys } = useStore(preferences);
  useEffect(() => {
    if (keys === 'off') return;
    let waiting = 0; // until when a letter after g counts
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]')) return;
      if (Date.now() < waiting) {
        waiting = 0;
        const page = pages.find(({ key }) => key === event.key);
        if (page) {
          event.preventDefault();
          navigate(page.href);
        }
      } else if (event.key === 'g') {
        waiting = Date.now() + 1_500;
      } else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-search]');
        if (search) {
          event.preventDefault();
          search.focus();
          search.select();
        }
      } else if (event.key === '?') {
        setHelp(true);
      }
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [pages, keys]);
  if (!help) return null;
  return (
    <Dialog title="Keys" onClose={() => setHelp(false)}>
      <dl class="keys">
        {[...EVERYWHERE, ...pages.map(({ key, title }) => ({ keys: `g ${key}`, text: title }))].map(({ keys, text }) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
