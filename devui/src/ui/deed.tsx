// A button that does something to the cluster, and how to do the same in a terminal.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { status } from '../state/live';
import { type Deed, perform } from '../state/steering';
import { useStore } from '../state/store';
import { Button, CopyButton } from './basics';
import type { IconName } from './icon';

const READ_ONLY = 'The emulator was started with --read-only.';

// Undefined where things can be changed, otherwise why not.
export const useRefusal = (): string | undefined => (useStore(status)?.readOnly ? READ_ONLY : undefined);

export interface DeedButtonProps {
  // Undefined where what was entered cannot be done; `why` tells.
  deed: Deed | undefined;
  children: ComponentChildren;
  done: () => void;
  icon?: IconName;
  kind?: 'plain' | 'primary' | 'danger';
  why?: string | undefined;
  // Of what is only a sign.
  label?: string;
}

export function DeedButton({ deed, children, done, icon, kind, why, label }: DeedButtonProps) {
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
      {...(icon ? { icon } : {})} {...(label ? { label } : {})} {...(refusal ? { title: refusal } : {})}
    >
      {children}
    </Button>
  );
}

export const CopyDeed = ({ deed }: { deed: Deed | undefined }) =>
  deed === undefined ? null : <CopyButton text={deed.command} label={`Copy as a command: ${deed.command}`} />;
