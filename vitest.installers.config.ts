import { defineConfig } from 'vitest/config';

/** `npm run test:installers`: builds the packages, and installs them in a clean system. The files share that system. */
export default defineConfig({
  define: { __VERSION__: JSON.stringify('0.0.0-test') },
  test: {
    include: ['test/installers/*.test.ts'],
    globalSetup: 'test/installers/prepare.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
