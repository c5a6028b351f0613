// Lines of `cloudstate-dev` to paste into a terminal. They reach the emulator that this page is of.
import { status } from '../state/live';
import { useStore } from '../state/store';
import { Command } from './basics';
import { programLine } from './shell';

// `words` are what follows "cloudstate-dev": ['nodes', 'add'].
export const cliLine = (words: string[]): string => programLine(words, status.get()?.adminAddress);

export function CliCommand({ words, label }: { words: string[]; label?: string }) {
  useStore(status);
  return <Command text={cliLine(words)} label={label} />;
}
