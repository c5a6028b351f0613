// node devui/dev_server.mjs [ADMIN_ADDRESS [PORT]]: serves the dashboard from its sources, bundled anew whenever the page is
// loaded, in front of an emulator that runs already (127.0.0.1:9001 if not told otherwise).
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import { options } from './options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [host, port] = (process.argv[2] ?? '127.0.0.1:9001').split(':');
const ownPort = Number(process.argv[3] ?? 9100);
const bundler = await context({ ...options, write: false, outdir: 'out', sourcemap: 'inline' });
let assets = new Map();

// The emulator answers to its own pages only.
const headersFor = (headers) => ({
  ...headers,
  host: `${host}:${port}`,
  ...(headers.origin ? { origin: `http://${host}:${port}` } : {}),
});

async function page() {
  const { outputFiles } = await bundler.rebuild();
  assets = new Map(outputFiles.map((file) => [file.path.endsWith('.css') ? '/app.css' : '/app.js', file.contents]));
  const answer = await fetch(`http://${host}:${port}/`).catch(() => undefined);
  const served = (await answer?.text()) ?? '';
  // With the emulator's policy, so that what it forbids is noticed here as well.
  const policy = answer?.headers.get('content-security-policy');
  const html = readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace('{{script}}', '/app.js')
    .replace('{{style}}', '/app.css')
    .replace('{{token}}', /name="cloudstate-token" content="([^"]*)"/.exec(served)?.[1] ?? '');
  return { html, headers: { 'content-type': 'text/html', ...(policy ? { 'content-security-policy': policy } : {}) } };
}

const server = createServer((asked, answer) => {
  if (asked.url === '/') {
    return page().then(
      ({ html, headers }) => answer.writeHead(200, headers).end(html),
      (error) => answer.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  }
  const asset = assets.get(asked.url);
  if (asset) return answer.writeHead(200, { 'content-type': asked.url.endsWith('css') ? 'text/css' : 'text/javascript' }).end(asset);
  const passed = request({ host, port, method: asked.method, path: asked.url, headers: headersFor(asked.headers) }, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  passed.on('error', () => answer.writeHead(502).end());
  asked.pipe(passed);
});

server.on('upgrade', (asked, socket, head) => {
  const passed = connect(Number(port), host, () => {
    const headers = Object.entries(headersFor(asked.headers)).map(([name, value]) => `${name}: ${value}\r\n`);
    passed.write(`GET ${asked.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
    passed.write(head);
    passed.pipe(socket).pipe(passed);
  });
  passed.on('error', () => socket.destroy());
  socket.on('error', () => passed.destroy());
});

server.listen(ownPort, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/ in front of ${host}:${port}`));
