// Short notes in a corner, which screen readers read as well.
import { createStore, useStore } from '../state/store';
import type { Tone } from './basics';

interface Note {
  number: number;
  text: string;
  tone: Tone;
}

const notes = createStore<Note[]>([]);
let last = 0;

export function announce(text: string, tone: Tone = 'neutral'): void {
  const note = { number: ++last, text, tone };
  notes.set([...notes.get().slice(-3), note]);
  window.setTimeout(() => notes.set(notes.get().filter((each) => each !== note)), tone === 'bad' ? 8_000 : 3_000);
}

export const Announcements = () => (
  <div class="notes" role="status" aria-live="polite">
    {useStore(notes).map(({ number, text, tone }) => (
      <div key={number} class={`note note-${tone}`}>
        {text}
      </div>
    ))}
  </div>
);
