// Serves the page and the published clients as ES modules, on a port of its own: another origin than the emulator's.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.desc': 'application/octet-stream' };

function fileFor(path) {
  if (path === '/') return join(HERE, 'page/index.html');
  if (path === '/services.desc') return process.env.DESCRIPTORS;
  const folder = path.startsWith('/node_modules/') ? HERE : join(HERE, 'page');
  return join(folder, normalize(path));
}

// Resolves to {port, close}.
export function servePage() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://page').pathname;
    try {
      const file = fileFor(path);
      const content = await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, close: () => server.close() }));
  });
}
