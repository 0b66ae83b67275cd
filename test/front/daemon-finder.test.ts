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
async function findIn(home: string, exits: readonly number[]): Promise<{ found: Found; startedAt: number[] }> {
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
