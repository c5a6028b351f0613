// Values that the browser keeps over a reload: all of this browser's, or those of one tab.

export interface Kept<Value> {
  // Undefined where there is nothing, or something else under this name.
  get(): Value | undefined;
  // Whether it is kept: some browsers keep nothing, and none keeps much.
  set(value: Value): boolean;
  forget(): void;
}

// `check` makes a value of the JSON that was found, which may be anybody's.
export function kept<Value>(
  key: string, check: (found: unknown) => Value | undefined, where: 'localStorage' | 'sessionStorage' = 'localStorage',
): Kept<Value> {
  return {
    get: () => {
      try {
        const text = globalThis[where].getItem(key);
        return text === null ? undefined : check(JSON.parse(text));
      } catch {
        return undefined;
      }
    },
    set: (value) => {
      try {
        globalThis[where].setItem(key, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    forget: () => {
      try {
        globalThis[where].removeItem(key);
      } catch {
        // A browser that keeps nothing.
      }
    },
  };
}
