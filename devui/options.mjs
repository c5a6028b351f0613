// What esbuild is told, in the build and while the page is being worked on.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const options = {
  absWorkingDir: dirname(fileURLToPath(import.meta.url)),
  entryPoints: { app: 'src/main.tsx' },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
};
