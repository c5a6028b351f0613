// Runs `cloudstate-dev` as a user does, and tells where its ports are.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_WITHIN_MS = 60_000;
const KEPT_OUTPUT = 64 * 1024;
const ANY_PORTS = { client: 0, admin: 0, metrics: 0 };

// Resolves when the user function is ready: {client, admin, metrics, pid, output, stop, kill}, the first three being addresses.
// `more` follows `run` on the command line. `keptIn` is a data directory; without it nothing is kept. `ready` may be "started"
// where no user function will come.
export async function startEmulator(more, { binary = process.env.CLOUDSTATE_DEV, ports = ANY_PORTS, keptIn, cwd, env, ready = 'ready' } = {}) {
  const child = spawn(
    binary,
    [
      '--json', ...(keptIn ? ['--data-dir', keptIn, 'run'] : ['run', '--ephemeral']),
      '--port', ports.client, '--admin-port', ports.admin, '--metrics-port', ports.metrics, ...more,
    ].map(String),
    { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output = (output + text).slice(-KEPT_OUTPUT);
  });
  const stopped = new Promise((resolve) => child.once('exit', resolve));
  const endWith = (signal) => () => {
    child.kill(signal);
    return stopped;
  };
  const stop = endWith('SIGTERM');
  try {
    return { ...(await started(child, ready)), pid: child.pid, output: () => output, stop, kill: endWith('SIGKILL') };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
}

function started(child, ready) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the emulator is not ready in time')), READY_WITHIN_MS);
    const addresses = {};
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the emulator ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.event === 'started') {
        Object.assign(addresses, { client: event.clientAddress, admin: event.adminAddress, metrics: event.metricsAddress });
      }
      if (event.event !== ready) return;
      clearTimeout(timer);
      resolve(addresses);
    });
  });
}
