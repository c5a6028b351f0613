import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './basics';

// A modal dialog of the browser's own: it keeps the focus, and Escape closes it.
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; actions?: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const gone = useRef(false);
  useEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current!;
    shown.showModal();
    // A dialog that is taken away, rather than closed, does not give the focus back; while it is open nothing else can have it.
    return () => {
      gone.current = true;
      shown.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-label={props.title} onClose={() => gone.current || props.onClose()}>
      <header class="dialog-head">
        <h2>{props.title}</h2>
        <Button kind="quiet" icon="close" label="Close" onClick={props.onClose} />
      </header>
      <div class="dialog-body">{props.children}</div>
      {props.actions && <footer class="dialog-actions">{props.actions}</footer>}
    </dialog>
  );
}

const isTypable = (word: string) => word.trim() !== '' && !/[\r\n]/.test(word);

// Before what cannot be undone: the person types a word.
export function ConfirmDialog(props: { title: string; word: string; action: string; children: ComponentChildren; onConfirm: () => Promise<void>; onClose: () => void }) {
  const word = isTypable(props.word) ? props.word : 'delete';
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const confirm = async (event: Event) => {
    event.preventDefault();
    if (typed !== word || busy) return;
    setBusy(true);
    try {
      await props.onConfirm();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form onSubmit={(event) => void confirm(event)}>
        {props.children}
        <label class="field">
          <span class="field-label">
            Type <code class="confirm-word">{word}</code> to confirm
          </span>
          <input autoFocus value={typed} onInput={(event) => setTyped(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
        </label>
        <footer class="dialog-actions">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" kind="danger" disabled={typed !== word || busy}>
            {props.action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
