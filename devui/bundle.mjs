// node bundle.mjs OUTPUT_DIR: bundles the dashboard and writes it as C++.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { options } from './options.mjs';

const MOST_COMPRESSED_BYTES = 150 * 1024;

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];

// Named after their content, so that a browser may keep them for ever.
async function bundle() {
  const result = await build({ ...options, minify: true, write: false, outdir: 'out', charset: 'utf8' });
  return result.outputFiles.map((file) => {
    const extension = file.path.endsWith('.css') ? 'css' : 'js';
    const content = Buffer.from(file.contents);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    return { extension, content, path: `/assets/app-${hash}.${extension}` };
  });
}

const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', html: 'text/html; charset=utf-8' };

function asCpp(files) {
  const bytes = (content) =>
    [...content].map((byte, i) => (i % 32 === 0 ? '\n' : '') + byte).join(',');
  const arrays = files.map(({ content }, i) => `const unsigned char kFile${i}[] = {${bytes(content)}};\n`);
  const rows = files.map(
    ({ path, extension, compressed }, i) =>
      `      {"${path}", "${TYPES[extension]}", {reinterpret_cast<const char*>(kFile${i}), sizeof(kFile${i})}, ` +
      `${compressed}},\n`,
  );
  return `#include "devui/dashboard_files.h"

namespace cloudstate::devui {
namespace {
${arrays.join('')}}  // namespace

const std::vector<DashboardFile>& DashboardFiles() {
  static const std::vector<DashboardFile> kFiles{
${rows.join('')}  };
  return kFiles;
}

}  // namespace cloudstate::devui
`;
}

const assets = await bundle();
const asset = (extension) => assets.find((file) => file.extension === extension).path;
const page = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('{{script}}', asset('js'))
  .replace('{{style}}', asset('css'));
// The page itself is sent with the run's token filled in, so it is not compressed.
const files = [
  { path: '/', extension: 'html', content: Buffer.from(page), compressed: false },
  ...assets.map((file) => ({ ...file, content: gzipSync(file.content, { level: 9 }), compressed: true })),
];
const size = files.reduce((sum, { content }) => sum + content.length, 0);
if (size > MOST_COMPRESSED_BYTES) {
  console.error(`The dashboard has ${size} bytes compressed; it may have ${MOST_COMPRESSED_BYTES}.`);
  process.exit(1);
}
writeFileSync(join(output, 'dashboard_files.cc'), asCpp(files));
console.log(`dashboard: ${(size / 1024).toFixed(1)} KiB compressed`);
