// Five bridges on one sign-in, for a short while; for longer, and with other tokens, by hand:
//
//   ENDURANCE_SECONDS=180 ENDURANCE_TOKEN_SECONDS=30 npm test -- test/e2e/sign-in/endurance.test.ts
import { expect, test } from 'vitest';
import { mostRefreshes, runEndurance } from './endurance.ts';

const { ENDURANCE_SECONDS = '15', ENDURANCE_TOKEN_SECONDS = '5', ENDURANCE_PROCESSES = '5' } = process.env;
const options = {
  processes: Number(ENDURANCE_PROCESSES),
  tokenSeconds: Number(ENDURANCE_TOKEN_SECONDS),
  seconds: Number(ENDURANCE_SECONDS),
};

test(
  'AU4 several processes on one sign-in whose tokens end all the time: no call fails, one asks at a time',
  { timeout: options.seconds * 1000 + 60_000 },
  async () => {
    const figures = await runEndurance(options);
    process.stdout.write(`${JSON.stringify({ ...options, ...figures })}\n`);
    expect(figures).toMatchObject({ failures: [], refusedRefreshes: 0, refreshesAtOnce: 1, signIns: 1 });
    expect(figures.calls).toBeGreaterThan(options.seconds * options.processes);
    const { processes, seconds, tokenSeconds } = options;
    // A slow machine takes some seconds to launch them all.
    expect(figures.refreshes).toBeGreaterThanOrEqual(processes * Math.floor(seconds / tokenSeconds / 2));
    expect(figures.refreshes).toBeLessThanOrEqual(mostRefreshes(options));
  },
);
