// Which first steps somebody has done with this browser. What is seen on other pages counts as well.
import { parseRoute } from '../../router';
import { kept } from '../../state/kept';
import { createStore } from '../../state/store';

const KEY = 'cloudstate-dev first steps';

interface Progress {
  done: string[];
  hidden: boolean;
}

const keptHere = kept<Progress>(KEY, (found) => {
  const { done, hidden } = (found ?? {}) as Partial<Progress>;
  return { done: Array.isArray(done) ? done : [], hidden: hidden === true };
});

export const progress = createStore<Progress>(keptHere.get() ?? { done: [], hidden: false });

function change(changes: Partial<Progress>) {
  progress.set({ ...progress.get(), ...changes });
  keptHere.set(progress.get());
}

export const hideSteps = (hidden: boolean) => change({ hidden });

export function markDone(step: string) {
  const { done } = progress.get();
  if (!done.includes(step)) change({ done: [...done, step] });
}

function look() {
  const { segments, query } = parseRoute(location.hash);
  const [page, ...more] = segments;
  if ((page === 'entities' || page === 'crdts') && more.length === 2) markDone('see');
  if (page === 'calls' && more.length === 1) markDone('see');
  if (page === 'entities' && query.get('view') === 'travel') markDone('travel');
}

window.addEventListener('hashchange', look);
look();
