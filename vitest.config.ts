import { defineConfig } from 'vitest/config';

/** What is run once more with a daemon between client and service (test/support/daemon-processes.ts). */
const throughDaemon = ['e2e', 'e2e/faults', 'peers', 'chaos', 'netns'].map(
  (folder) => `test/${folder}/*.test.ts`,
);

export default defineConfig({
  define: { __VERSION__: JSON.stringify('0.0.0-test') },
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      // One after the other: both have tables of slow tests that run side by side.
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          // Slow, and in need of more of the machine: `npm run test:installers`.
          exclude: ['test/installers/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'daemon',
          include: throughDaemon,
          env: { MCP_BRIDGE_TEST_DAEMON: 'on' },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
