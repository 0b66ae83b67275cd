// `mcp-bridge status` has to answer within twice the start of Node.js, so what it loads is small. This looks at what was built: a
// measurement would depend on the machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';

const built = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../dist/app/${name}.js`), 'utf8');

test.each(['cli', 'status'])('ST1 %s.js is small, and loads nothing that is heavy', (name) => {
  const text = built(name);
  expect(text.length).toBeLessThan(40_000);
  expect(text.match(/^\/\/ \S*node_modules\/(?!env-paths|is-safe-filename)\S+/gm)).toBeNull();
  expect(text).not.toMatch(/["']node:(http|https|tls|http2|dns|child_process)["']/);
  // An import of one of Node's own modules costs more than the module: scripts/build.mjs takes them another way.
  expect(text).not.toMatch(/^import .* from ["']node:/m);
});

test('ST1 each command is one file beside cli.js', () => {
  const loads = built('cli').match(/import\("\.\/[\w-]+\.js"\)/g);
  expect(loads?.toSorted()).toEqual(
    [...Object.keys(COMMANDS), 'help'].toSorted().map((name) => `import("./${name}.js")`),
  );
  for (const name of ['status', 'watch', 'logs', 'reset', 'stop']) {
    expect(built(name).match(/^import .*|from "\.\/.*/gm)).toBeNull();
  }
});
