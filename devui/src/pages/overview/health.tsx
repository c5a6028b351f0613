// How the user function and the emulator are.
import type { ComponentChildren } from 'preact';
import type { StatusJson, UserFunctionJson } from '../../api/contract';
import { href } from '../../router';
import { Ago, Badge, Card, CopyButton, Dot } from '../../ui/basics';
import { num, plural } from '../../ui/format';
import { shellWord } from '../../ui/shell';
import { headline, isCallable, userFunctionState } from '../../ui/user_function_state';
import { isOff, replicasText, useScaling } from '../scaling/data';
import { WhatNext } from './what_next';

export function Health({ now }: { now: StatusJson }) {
  const user = now.userFunction ?? {};
  return (
    <Card
      class="health"
      title={<span class="health-title" aria-live="polite"><Dot tone={userFunctionState(user.state).tone} label={userFunctionState(user.state).text} /> {headline(user)}</span>}
      actions={<>{now.readOnly && <Badge title="Started with --read-only">read-only</Badge>}<span class="muted">{user.state === 'READY' || user.state === 'REJECTED' ? 'found' : 'began'} <Ago time={user.since} /></span></>}
    >
      {!isCallable(user.state) && <WhatNext user={user} />}
      <div class="health-parts">
        <UserFunctionFacts user={user} />
        <EmulatorFacts now={now} />
      </div>
    </Card>
  );
}

const Fact = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <div>
    <dt>{label}</dt>
    <dd>{children}</dd>
  </div>
);

const Address = ({ text, what }: { text: string; what: string }) => (
  <span class="address"><code>{text}</code><CopyButton text={text} label={`Copy the address ${what}`} /></span>
);

function UserFunctionFacts({ user }: { user: UserFunctionJson }) {
  const { serviceName, serviceVersion, supportLibraryName, supportLibraryVersion, serviceRuntime, dialect, command = [] } = user;
  return (
    <section aria-label="User function">
      <h3>User function</h3>
      <dl class="facts">
        {serviceName && <Fact label="Service">{serviceName} {serviceVersion}</Fact>}
        {supportLibraryName && <Fact label="Library">{supportLibraryName} {supportLibraryVersion}</Fact>}
        {serviceRuntime && <Fact label="Runtime">{serviceRuntime}</Fact>}
        {dialect && <Fact label="Protocol">{dialect}</Fact>}
        {user.address && <Fact label="Address"><Address text={user.address} what="of the user function" /></Fact>}
        {command.length === 0 ? <Fact label="Started by">somebody else</Fact> : (
          <>
            <Fact label="Command"><code>{command.map(shellWord).join(' ')}</code></Fact>
            <Fact label="Process">
              {num(user.pid) > 0 ? `pid ${user.pid}` : 'not running'}, {num(user.restarts) === 0 ? 'never restarted' : `restarted ${num(user.restarts) === 1 ? 'once' : `${num(user.restarts)} times`}`}
            </Fact>
          </>
        )}
      </dl>
    </section>
  );
}

function EmulatorFacts({ now }: { now: StatusJson }) {
  return (
    <section aria-label="Emulator">
      <h3>Emulator</h3>
      <dl class="facts">
        <Fact label="Version">{now.version} <span class="muted">{now.commit}</span></Fact>
        <Fact label="Started"><Ago time={now.started} /> <span class="muted">pid {now.pid}</span></Fact>
        <Fact label="Clients"><Address text={now.clientAddress ?? ''} what="for clients" /></Fact>
        <Fact label="Admin"><Address text={now.adminAddress ?? ''} what="of the admin port" /></Fact>
        {now.metricsAddress && <Fact label="Prometheus"><Address text={now.metricsAddress} what="for Prometheus" /></Fact>}
        <Fact label="Journal">
          {now.dataDirectory ? <><code>{now.dataDirectory}</code> <span class="muted">{now.durability}</span></> : 'ephemeral, nothing is kept'}
        </Fact>
        <Fact label="Stored">{plural(num(now.storedEvents), 'event')}</Fact>
        <Fact label="Active">{plural(num(now.activeEntities), 'entity', 'entities')}</Fact>
        <Fact label="Nodes"><a href={href(['cluster'])}>{num(now.nodes)} up</a></Fact>
        <ScalingFact />
      </dl>
    </section>
  );
}

// Nothing where it is off.
function ScalingFact() {
  const { data } = useScaling();
  if (data === undefined || isOff(data)) return null;
  return <Fact label="Scaling"><a href={href(['scaling'])}>{data.mode}: {replicasText(data)}</a></Fact>;
}
