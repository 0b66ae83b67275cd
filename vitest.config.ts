import { defineConfig } from 'vitest/config';

const filesIn = (folders: readonly string[]): string[] =>
  folders.map((folder) => `test/${folder}/**/*.test.ts`);

/** Tests that run real programs, with their time limits, on a machine that may be busy. */
const programs = ['e2e', 'peers', 'chaos', 'netns', 'conformance', 'demo', 'bench'];
/** Slow, and in need of more of the machine: `npm run test:installers`. */
const installers = ['installers'];
/** What is run once more with a daemon between client and service (test/support/daemon-processes.ts). */
const throughDaemon = ['e2e', 'e2e/faults', 'peers', 'chaos', 'netns'].map(
  (folder) => `test/${folder}/*.test.ts`,
);

/**
 * In CI, where nobody looks at a failure and runs it again, a test of real programs that fails is run once more, and .ci/reporter.mjs
 * names it: it is a bug to be found all the same. Tests that chance decides are not: what they find once is found.
 */
const retry = process.env['CI'] === 'true' ? 1 : 0;

export default defineConfig({
  define: { __VERSION__: JSON.stringify('0.0.0-test') },
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One for each core of the smallest machine. Most of them wait, so that fewer would leave it idle.
    maxWorkers: 2,
    // One after the other: both ways of the programs have tables of slow tests that run side by side.
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: filesIn([...programs, ...installers]),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'programs', include: filesIn(programs), retry, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'daemon',
          include: throughDaemon,
          env: { MCP_BRIDGE_TEST_DAEMON: 'on' },
          retry,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
