// What is missing where a page has nothing to show because nothing can be called, and how to have it.
import { href } from '../router';
import { status } from '../state/live';
import { useStore } from '../state/store';
import { Command } from './basics';
import { CliCommand } from './cli';

export function NoUserFunction() {
  const { state, address = '', command = [] } = useStore(status)?.userFunction ?? {};
  const overview = <a href={href([])}>Overview</a>;
  if (state === 'IDLE') return <p>The user function is scaled to zero. Nothing is known of its services until a replica starts. <a href={href(['scaling'])}>Scaling</a> tells what starts one.</p>;
  if (state === 'REJECTED') return <p>The user function is there, but cannot be served. {overview} tells why.</p>;
  if (command.length > 0) return <p>The user function was started, but does not answer yet. {overview} tells what to look at.</p>;
  return (
    <>
      <p>Nothing can be called without a user function. Start yours where the emulator looks for it, at <code>{address}</code>:</p>
      <Command text={`PORT=${address.split(':').at(-1) || '8080'} node index.js`} />
      <p>Or start the emulator with it, or with one that comes with the program:</p>
      <CliCommand words={['run', '--', 'node', 'index.js']} />
      <CliCommand words={['run', '--sample', 'shopping-cart']} />
    </>
  );
}
