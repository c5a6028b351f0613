import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { Button, CopyButton } from '../../ui/basics';
import type { IconName } from '../../ui/icon';
import { type Deed, perform } from './steering';

const READ_ONLY = 'The emulator was started with --read-only.';

// Undefined where things can be changed, otherwise why not.
export const useRefusal = (): string | undefined => (useStore(status)?.readOnly ? READ_ONLY : undefined);

interface DeedButtonProps {
  // Undefined where what was entered cannot be done; `why` tells.
  deed: Deed | undefined;
  children: ComponentChildren;
  done: () => void;
  icon?: IconName;
  kind?: 'plain' | 'primary' | 'danger';
  why?: string | undefined;
}

export function DeedButton({ deed, children, done, icon, kind, why }: DeedButtonProps) {
  const [busy, setBusy] = useState(false);
  const refusal = useRefusal() ?? (deed === undefined ? why : undefined);
  const act = async () => {
    if (deed === undefined || busy) return;
    setBusy(true);
    await perform(deed);
    setBusy(false);
    done();
  };
  return (
    <Button
      small disabled={refusal !== undefined || deed === undefined} kind={kind ?? 'plain'} onClick={() => void act()}
      {...(icon ? { icon } : {})} {...(refusal ? { title: refusal } : {})}
    >
      {children}
    </Button>
  );
}

// What can be done, what comes of it, and how to do it in a terminal.
export function DeedRow({ text, field, ...button }: DeedButtonProps & { text: ComponentChildren; field?: ComponentChildren }) {
  return (
    <li class="cl-deed">
      <p>{text}</p>
      <div class="cl-deed-do">
        {field}
        <DeedButton {...button} />
        <span class="spacer" />
        {button.deed && <CopyButton text={button.deed.command} label={`Copy as a command: ${button.deed.command}`} />}
      </div>
    </li>
  );
}
