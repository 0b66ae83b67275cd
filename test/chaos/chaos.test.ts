// The promise under everything at once: eight clients, real bridges, and a service that fails in every way that it knows.
// A failure names its seed; `node scripts/run.mjs --build test/chaos/main.ts --seed N` plays it again, for a minute (`--daemon`
// where it was through one).
import { expect, test } from 'vitest';
import { isThroughDaemon } from '../support/daemon-processes.ts';
import { Random } from './random.ts';
import { runChaos } from './run.ts';

const seconds = Number(process.env['CHAOS_SECONDS'] ?? 20);
const anySeed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const seeds = isThroughDaemon ? [anySeed] : [20_261_123, anySeed];

test.for(seeds)(
  'BR13 BR3 RT4 SE4 RT7 in chaos each request gets one reply, its own, in time, and no write runs twice (seed %i)',
  { timeout: (seconds + 100) * 1000, retry: 0 },
  async (seed) => {
    const report = await runChaos({ seed, seconds, throughDaemon: isThroughDaemon });
    const { violations, errors, events, ...figures } = report;
    process.stdout.write(`chaos, seed ${seed}: ${JSON.stringify(figures)}\n`);
    expect(violations, `seed ${seed}\n${events.join('\n')}`).toEqual([]);
    // Had nothing succeeded, or nothing failed, nothing would have been shown.
    expect(figures.endings['result']).toBeGreaterThan(figures.requests / 2);
    expect(errors.length).toBeGreaterThan(10);
    expect(events.length).toBeGreaterThan(5);
  },
);

test('plays the same traffic and the same troubles again from the same seed', () => {
  const draw = (seed: number, name: string): number[] => {
    const random = new Random(seed).fork(name);
    return Array.from({ length: 20 }, () => random.int(0, 1_000_000));
  };
  expect(draw(7, 'weather')).toEqual(draw(7, 'weather'));
  expect(draw(7, 'weather')).not.toEqual(draw(8, 'weather'));
  expect(draw(7, 'weather')).not.toEqual(draw(7, 'deaths'));
});
