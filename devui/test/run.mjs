// node test/run.mjs: bundles test/*.test.ts and runs them with node's own test runner.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'));
const scratch = mkdtempSync(join(tmpdir(), 'dashboard-test-'));
try {
  await build({
    entryPoints: tests.map((name) => join(here, name)),
    outdir: scratch,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // What modules of the page look for when they are loaded.
    banner: { js: 'globalThis.document ??= { querySelector: () => null }; globalThis.localStorage ??= { getItem: () => null };' },
  });
  const files = tests.map((name) => join(scratch, name.replace(/\.ts$/, '.mjs')));
  process.exitCode = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}
