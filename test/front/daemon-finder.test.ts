// What a front finds where no daemon answers: how often it starts one, and when it goes without.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DaemonFinder, type Found } from '../../src/front/daemon-finder.ts';
import { DAEMON_EXITS } from '../../src/platform/daemon-exit.ts';
import { resolvePaths } from '../../src/platform/paths.ts';
import { FakeClock } from '../support/fake-clock.ts';

function useDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcp-bridge-finder-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/**
 * Looks for as long as a front does.
 * @param exits how the daemons end that are started, one after the other; those after them stay, and never listen
 */
async function findIn(
  home: string,
  exits: readonly number[],
): Promise<{ found: Found; startedAt: number[] }> {
  const clock = new FakeClock();
  const startedAt: number[] = [];
  const finder = new DaemonFinder({
    argv: ['https://service.example/mcp'],
    env: {},
    paths: resolvePaths({ MCP_BRIDGE_HOME: home }),
    version: '1.0.0',
    clock,
    start: () => {
      startedAt.push(clock.now());
      return { exitCode: exits[startedAt.length - 1], error: undefined };
    },
  });
  const finding = finder.find();
  await clock.advance(6000);
  return { found: await finding, startedAt };
}

test('FB5 DM6 where the runtime directory would lie below a file, there is none, and it is told why', async () => {
  const file = join(useDirectory(), 'file');
  writeFileSync(file, '');
  const { found, startedAt } = await findIn(file, [DAEMON_EXITS.runtimeDir.code]);
  expect(found).toEqual({
    kind: 'none',
    reason: 'no background process can run here: its directory cannot be made or is not private',
  });
  expect(startedAt).toEqual([0]);
});

test.each<[string, number[], number, string]>([
  ['that was killed is started once more', [-1], 2, 'run is not private'],
  [
    'that is killed every time is started every 400 ms or so',
    Array(99).fill(-1),
    13,
    'was killed as it started',
  ],
  ['that found another one there is started once more', [0], 2, 'run is not private'],
  ['that stays is waited for', [], 1, 'run is not private'],
])('DM4 DM1 a daemon %s', async (_what, exits, starts, reason) => {
  const { found, startedAt } = await findIn(useDirectory(), exits);
  expect(found).toMatchObject({ kind: 'none', reason: expect.stringContaining(reason) });
  expect(startedAt).toHaveLength(starts);
  expect(startedAt.every((at, n) => n === 0 || at - (startedAt[n - 1] ?? 0) >= 400)).toBe(true);
});

test('DM4 FB5 a daemon that was killed and then cannot run is not waited for', async () => {
  const { found, startedAt } = await findIn(useDirectory(), [-1, DAEMON_EXITS.lock.code]);
  expect(found).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('its lock file cannot be used'),
  });
  expect(startedAt).toHaveLength(2);
});
