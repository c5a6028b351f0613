import { useEffect, useState } from 'preact/hooks';

// A value that several parts of the page look at.
interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(changed: () => void): () => void;
}

export function createStore<T>(value: T): Store<T> {
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const each of watchers) each();
    },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get);
  useEffect(() => {
    const changed = () => setValue(() => store.get());
    changed();
    return store.watch(changed);
  }, [store]);
  return value;
}
