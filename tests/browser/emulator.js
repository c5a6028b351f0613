// Runs `cloudstate-dev` as a user does, and tells where its ports are.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_WITHIN_MS = 30_000;

// Resolves when the user function is ready, with the addresses of the ports: {client, admin, stop}. `more` follows `run` on the command line.
export async function startEmulator(more) {
  const child = spawn(
    process.env.CLOUDSTATE_DEV,
    ['--json', 'run', '--ephemeral', '--port', '0', '--admin-port', '0', '--metrics-port', '0', ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stopped = new Promise((resolve) => child.once('exit', resolve));
  const stop = () => {
    child.kill('SIGTERM');
    return stopped;
  };
  try {
    return { ...(await ports(child)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function ports(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the emulator is not ready in time')), READY_WITHIN_MS);
    const addresses = {};
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the emulator ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.event === 'started') {
        addresses.client = event.clientAddress;
        addresses.admin = event.adminAddress;
      }
      if (event.event !== 'ready') return;
      clearTimeout(timer);
      resolve(addresses);
    });
  });
}
