// The rules of .oxlintrc.json that the code relies on are switched on: each fails on a file that breaks it.
import { beforeAll, describe, expect, test } from 'vitest';
import { lintFixture, type Finding } from './lint-fixtures.ts';

interface Case {
  rule: string;
  path: string;
  code: string;
}

const broken: readonly Case[] = [
  {
    rule: 'typescript(no-floating-promises)',
    path: 'src/bridge/floating.ts',
    code: 'declare function send(): Promise<void>;\nsend();\n',
  },
  {
    rule: 'typescript(no-misused-promises)',
    path: 'src/bridge/misused.ts',
    code: 'declare function on(f: () => void): void;\non(async () => { await Promise.resolve(); });\n',
  },
  { rule: 'typescript(await-thenable)', path: 'src/bridge/thenable.ts', code: 'await 1;\n' },
  {
    rule: 'typescript(switch-exhaustiveness-check)',
    path: 'src/policy/total.ts',
    code: "export function f(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }\n",
  },
  {
    rule: 'typescript(no-explicit-any)',
    path: 'src/bridge/any.ts',
    code: 'export const x = (y: any) => y;\n',
  },
  {
    rule: 'typescript(no-non-null-assertion)',
    path: 'src/bridge/asserted.ts',
    code: 'export const x = (y: string | null): string => y!;\n',
  },
  { rule: 'typescript(only-throw-error)', path: 'src/bridge/thrown.ts', code: "throw 'no';\n" },
  { rule: 'eslint(no-console)', path: 'src/bridge/printed.ts', code: "console.log('x');\n" },
  {
    rule: 'import(no-cycle)',
    path: 'src/bridge/cycle-a.ts',
    code: "import { b } from './cycle-b.ts';\nexport const a = (): number => b;\n",
  },
  {
    rule: 'import(no-cycle)',
    path: 'src/bridge/cycle-b.ts',
    code: "import { a } from './cycle-a.ts';\nexport const b = a();\n",
  },
  { rule: 'unicorn(filename-case)', path: 'src/bridge/Named.ts', code: 'export const x = 1;\n' },
  {
    rule: 'unicorn(prefer-node-protocol)',
    path: 'src/bridge/prefix.ts',
    code: "export { join } from 'path';\n",
  },
  { rule: 'eslint(max-lines)', path: 'src/bridge/long.ts', code: 'export {};\n'.repeat(351) },
  {
    rule: 'vitest(no-focused-tests)',
    path: 'test/focused.test.ts',
    code: "import { expect, test } from 'vitest';\ntest.only('x', () => { expect(1).toBe(1); });\n",
  },
  {
    rule: 'vitest(expect-expect)',
    path: 'test/empty.test.ts',
    code: "import { test } from 'vitest';\ntest('x', () => {});\n",
  },
];

describe('the lint configuration', () => {
  let findings: Finding[] = [];
  const sound = { path: 'src/bridge/sound.ts', code: 'export const sound = (): number => 1;\n' };
  const idle = {
    path: 'src/bridge/idle.ts',
    code: '// oxlint-disable-next-line no-console\nexport const x = 1;\n',
  };

  beforeAll(async () => {
    findings = await lintFixture(
      Object.fromEntries([...broken, sound, idle].map(({ path, code }) => [path, code])),
    );
  });

  test.each(broken)('$rule fails on $path', ({ rule, path }) => {
    expect(findings.filter(({ file }) => file === path).map((finding) => finding.rule)).toContain(rule);
  });

  test('a file in order passes', () => {
    expect(findings.filter(({ file }) => file === sound.path)).toEqual([]);
  });

  test('a disabled rule that has nothing to disable is reported', () => {
    const messages = findings.filter(({ file }) => file === idle.path).map(({ message }) => message);
    expect(messages.join('\n')).toContain('Unused');
  });
});
