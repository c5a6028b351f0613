// While there is no user function that can be served: why, and what to do about it.
import type { UserFunctionJson } from '../../api/contract';
import { href } from '../../router';
import { Command, LinkButton } from '../../ui/basics';
import { CliCommand } from '../../ui/cli';
import { shellWord } from '../../ui/shell';

export function WhatNext({ user }: { user: UserFunctionJson }) {
  const { state, problem, command = [], address = '' } = user;
  return (
    <div class={`what-next what-next-${state === 'REJECTED' ? 'bad' : 'warn'}`}>
      {problem && <pre class="what-next-problem">{problem}</pre>}
      <div class="what-next-text">
        {state === 'REJECTED' ? <Rejected command={command} /> : command.length > 0 ? <Started command={command} address={address} /> : <Elsewhere address={address} />}
      </div>
    </div>
  );
}

function Rejected({ command }: { command: string[] }) {
  return (
    <>
      <p>
        The user function answers, but what it declares is not what the emulator could serve. Change that and start it again; this page notices
        by itself.
      </p>
      {command.length > 0 && (
        <>
          <p>To have it started again whenever a file changes, run the emulator with <code>--watch</code>:</p>
          <CliCommand words={['run', '--watch', '.', '--', ...command]} />
        </>
      )}
      <p>This checks what it declares, and says more about it:</p>
      <CliCommand words={['tck', '--', ...(command.length > 0 ? command : ['COMMAND'])]} />
    </>
  );
}

function Started({ command, address }: { command: string[]; address: string }) {
  return (
    <>
      <p>
        The emulator has started <code>{command.map(shellWord).join(' ')}</code> with <code>HOST</code> and <code>PORT</code> set, and tries to
        reach it at <code>{address}</code>. If it ends, it is started again.
      </p>
      <p>If it takes long, see what it has printed. It has to listen where <code>PORT</code> says.</p>
      <LinkButton href={href(['logs'], { source: 'user function' })} icon="logs">What it has printed</LinkButton>
    </>
  );
}

function Elsewhere({ address }: { address: string }) {
  const port = address.split(':').at(-1) ?? '8080';
  return (
    <>
      <p>Nothing that speaks the protocol answers at <code>{address}</code> yet. Start your user function there; this page goes on by itself:</p>
      <Command text={`PORT=${port} node index.js`} />
      <p>Or have the emulator start it, in any language, and again when it ends:</p>
      <CliCommand words={['run', '--', 'node', 'index.js']} />
      <p>No user function at hand? One comes with the program:</p>
      <CliCommand words={['run', '--sample', 'shopping-cart']} />
    </>
  );
}
