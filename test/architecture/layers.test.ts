// The import directions hold in src/, and the lint rule behind them fails on each kind of breach.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { partOf } from '../../scripts/lint/layers.ts';
import { lint, lintFixture, root, type Finding } from './lint-fixtures.ts';

interface Case {
  from: string;
  code: string;
}

const refused: Record<string, Case> = {
  'platform imports protocol': { from: 'platform/a.ts', code: `import '../protocol/x.ts';` },
  'protocol imports policy': { from: 'protocol/a.ts', code: `import '../policy/x.ts';` },
  'protocol imports upstream': { from: 'protocol/a.ts', code: `import '../upstream/x.ts';` },
  'policy imports upstream': { from: 'policy/a.ts', code: `import type { X } from '../upstream/x.ts';` },
  'policy imports config': { from: 'policy/a.ts', code: `import type { X } from '../config/x.ts';` },
  'policy imports node:fs': { from: 'policy/a.ts', code: `import { readFileSync } from 'node:fs';` },
  'policy imports a built-in without its prefix': {
    from: 'policy/a.ts',
    code: `import { join } from 'path';`,
  },
  'policy imports undici': { from: 'policy/a.ts', code: `import { Pool } from 'undici';` },
  'policy runs platform': {
    from: 'policy/a.ts',
    code: `import { systemClock } from '../platform/clock.ts';`,
  },
  'upstream imports pool': { from: 'upstream/a.ts', code: `import '../pool/x.ts';` },
  'upstream imports auth': { from: 'upstream/a.ts', code: `import '../auth/x.ts';` },
  'upstream runs config': {
    from: 'upstream/a.ts',
    code: `import { settings } from '../config/settings.ts';`,
  },
  'pool imports bridge': { from: 'pool/a.ts', code: `import '../bridge/x.ts';` },
  'bridge imports front': { from: 'bridge/a.ts', code: `import '../front/x.ts';` },
  'bridge reads what is observed': { from: 'bridge/a.ts', code: `import '../observe/status.ts';` },
  'bridge imports cli': { from: 'bridge/a.ts', code: `import '../cli/x.ts';` },
  'front imports daemon': { from: 'front/a.ts', code: `import '../daemon/x.ts';` },
  'daemon imports front': { from: 'daemon/a.ts', code: `import '../front/x.ts';` },
  'config imports upstream': { from: 'config/a.ts', code: `import type { X } from '../upstream/x.ts';` },
  'auth imports bridge': { from: 'auth/a.ts', code: `import '../bridge/x.ts';` },
  'setup imports cli': { from: 'setup/a.ts', code: `import '../cli/x.ts';` },
  'observe imports daemon': { from: 'observe/status.ts', code: `import '../daemon/x.ts';` },
  'events run what they describe': { from: 'observe/events.ts', code: `import '../protocol/x.ts';` },
  'daemon parses a command line': { from: 'daemon/a.ts', code: `import { Command } from 'commander';` },
  'run parses a command line': { from: 'front/run.ts', code: `import { Command } from 'commander';` },
  'src imports a test': { from: 'bridge/a.ts', code: `import '../../test/support/x.ts';` },
  'a folder that has no place': { from: 'helpers/a.ts', code: `import '../platform/x.ts';` },
  'a file beside the folders': { from: 'a.ts', code: `import './platform/x.ts';` },
  'a deeper folder reaches up': { from: 'policy/a/b.ts', code: `import '../../bridge/x.ts';` },
  'export from above': { from: 'pool/a.ts', code: `export { x } from '../bridge/x.ts';` },
  'export all from above': { from: 'pool/a.ts', code: `export * from '../bridge/x.ts';` },
  'import() from above': { from: 'pool/a.ts', code: `await import('../bridge/x.ts');` },
  'import() of who knows what': { from: 'cli/a.ts', code: `declare const x: string; await import(x);` },
  'a type in passing from above': { from: 'pool/a.ts', code: `export type X = import('../bridge/x.ts').X;` },
};

const allowed: Record<string, Case> = {
  'protocol imports platform': { from: 'protocol/a.ts', code: `import '../platform/x.ts';` },
  'protocol imports a built-in': { from: 'protocol/a.ts', code: `import { isUtf8 } from 'node:buffer';` },
  'policy imports protocol': { from: 'policy/a.ts', code: `import '../protocol/x.ts';` },
  'policy knows the shape of a clock': {
    from: 'policy/a.ts',
    code: `import type { Clock } from '../platform/x.ts';`,
  },
  'policy imports itself': { from: 'policy/b/a.ts', code: `import '../c.ts';` },
  'upstream imports undici': { from: 'upstream/a.ts', code: `import { Pool } from 'undici';` },
  'upstream knows the settings': {
    from: 'upstream/a.ts',
    code: `import type { S } from '../config/settings.ts';`,
  },
  'pool imports upstream': { from: 'pool/a.ts', code: `import '../upstream/x.ts';` },
  'bridge imports config': { from: 'bridge/a.ts', code: `import '../config/x.ts';` },
  'policy emits events': { from: 'policy/a.ts', code: `import '../observe/events.ts';` },
  'platform emits events': { from: 'platform/a.ts', code: `import '../observe/events.ts';` },
  'daemon reads what is observed': { from: 'daemon/a.ts', code: `import '../observe/status.ts';` },
  'front signs in': { from: 'front/a.ts', code: `import '../auth/x.ts';` },
  'cli starts all': {
    from: 'cli/a.ts',
    code: `await import('../front/x.ts'); await import('../daemon/x.ts');`,
  },
  'cli parses a command line': { from: 'cli/a.ts', code: `import { Command } from 'commander';` },
};

describe('import directions', () => {
  const cases = Object.entries({ ...refused, ...allowed });
  /** Each case gets a file of its own, so that one run of the linter answers all. */
  const files = new Map(
    cases.map(([name, { from }], index) => [name, `src/${from.replace(/\ba\.ts$/, `case-${index}.ts`)}`]),
  );
  let findings: Finding[] = [];
  const findingsOf = (name: string): Finding[] =>
    findings.filter(({ file, rule }) => file === files.get(name) && rule === 'bridge(imports)');

  beforeAll(async () => {
    findings = await lintFixture(
      Object.fromEntries(cases.map(([name, { code }]) => [files.get(name), `${code}\n`])),
    );
  });

  test.each(Object.keys(refused))('refuses: %s', (name) => {
    expect(findingsOf(name)).toHaveLength(1);
  });

  test.each(Object.keys(allowed))('allows: %s', (name) => {
    expect(findingsOf(name)).toEqual([]);
  });

  test('the message names both sides', () => {
    const [finding] = findingsOf('pool imports bridge');
    expect(finding?.message).toBe('Import against the layers: pool may not import bridge.');
  });

  test('every case has a file of its own', () => {
    expect(new Set(files.values()).size).toBe(cases.length);
  });

  test('every folder of src/ has its place', () => {
    const entries = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = entries.map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((path) => partOf(path) === undefined)).toEqual([]);
  });

  test('hold in the tree', async () => {
    const breaches = (await lint(root, ['src'])).filter(({ rule }) => rule.startsWith('bridge('));
    expect(breaches).toEqual([]);
  }, 60_000);
});
