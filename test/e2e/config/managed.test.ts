// The managed config file at its real place, for the real program: /etc as another one, in a mount namespace of the test's own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { needsRoot, needsTools } from '../../support/needs.ts';
import { useHome, type Outcome } from '../../support/cli-process.ts';

const launcher = resolve(import.meta.dirname, '../../../bin/mcp-bridge.js');

/** Runs the program where /etc/mcp-bridge/config.json has this text. */
function runManaged(context: TestContext, home: string, managed: string, argv: string[], env = {}): Outcome {
  needsRoot(context);
  needsTools(context, 'mount', 'unshare');
  // Not every container allows it.
  const isAble = spawnSync('unshare', ['--mount', 'true']).status === 0;
  context.skip(!isAble, 'needs mount namespaces');
  const etc = join(home, 'etc');
  mkdirSync(join(etc, 'mcp-bridge'), { recursive: true });
  writeFileSync(join(etc, 'mcp-bridge', 'config.json'), managed);
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `mount --bind '${etc}' /etc && exec "$@"`,
      'sh',
      process.execPath,
      launcher,
      ...argv,
    ],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home, MCP_BRIDGE_HOME: home, ...env } },
  );
  return { code: status, stdout, stderr };
}

const MANAGED = JSON.stringify({
  proxy: 'http://proxy.example:3128',
  lingerMs: 60_000,
  profiles: { work: { url: 'https://work.example/mcp' } },
  locked: ['proxy', 'profiles.work'],
});

describe('CF1 /etc/mcp-bridge/config.json', () => {
  test('counts for every user, below what the user says, and what is locked wins over all', (context) => {
    const home = useHome();
    writeFileSync(join(home, 'config.json'), '{"proxy":"none","toolTimeoutMs":500}');
    const { code, stdout } = runManaged(context, home, MANAGED, ['config', 'list', '--origin'], {
      MCP_BRIDGE_PROXY: 'none',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^proxy +http:\/\/proxy\.example:3128 +managed config \/etc\/mcp-bridge\/config\.json, locked$/m,
    );
    expect(stdout).toMatch(/^lingerMs +60000 +managed config \/etc\/mcp-bridge\/config\.json$/m);
    expect(stdout).toMatch(/^toolTimeoutMs +500 +user config/m);
    expect(stdout).toMatch(
      /^profiles\.work +https:\/\/work\.example\/mcp +\/etc\/mcp-bridge\/config\.json, locked$/m,
    );
  });

  test('what is locked cannot be set, and the message says by whom', (context) => {
    const home = useHome();
    for (const argv of [
      ['proxy', 'none'],
      ['url', 'https://a.example', '--profile', 'work'],
    ]) {
      const { code, stderr } = runManaged(context, home, MANAGED, ['config', 'set', ...argv]);
      expect(code).toBe(1);
      expect(stderr).toContain('locked by your administrator in /etc/mcp-bridge/config.json');
    }
    expect(runManaged(context, home, MANAGED, ['config', 'set', 'lingerMs', '5']).code).toBe(0);
  });

  test('one that is broken stops the program with the place of the mistake', (context) => {
    const { code, stderr } = runManaged(
      context,
      useHome(),
      '{\n"proxy":\n}',
      ['run', 'https://work.example/mcp'],
      {
        MCP_BRIDGE_DAEMON: 'off',
      },
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/\/etc\/mcp-bridge\/config\.json is not valid JSON: .* at line 3 column 1/);
  });

  test('SU1 its profiles are set up by name, without a profile of the user’s own', (context) => {
    const home = useHome();
    const { code, stdout } = runManaged(context, home, MANAGED, ['setup', 'work', '--no-check', '--yes']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('the entry "work" is in')]);
    expect(stdout).not.toContain('profile');
    const argv = ['setup', 'https://other.example/mcp', '--name', 'work', '--no-check'];
    expect(runManaged(context, home, MANAGED, argv)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('locked by your administrator'),
    });
  });
});
