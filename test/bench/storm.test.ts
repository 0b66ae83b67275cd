// A small storm: the service restarts under a crowd. `npm run bench:storm` makes a large one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { gatherBridges, gatherFronts } from '../../bench/storm-crowds.ts';
import { peak, runStorm } from '../../bench/storm-run.ts';

const limits = { downMs: 1500, limitMs: 30_000 };

test(
  'PF5 forty bridges recover from a restart with one handshake each, and not all at once',
  { timeout: 60_000 },
  async () => {
    const storm = await runStorm({ ...limits, gather: (url) => gatherBridges(40, url) });
    expect(storm).toMatchObject({ handshakes: 40, mostHandshakes: 1, errors: [] });
    // All at once would be 40 within one step of 100 ms.
    expect(storm.peakHandshakes).toBeLessThan(30);
  },
);

test(
  'PF5 fronts of one daemon recover from a restart with one handshake together',
  { timeout: 60_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-storm-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
    const storm = await runStorm({ ...limits, gather: (url) => gatherFronts(6, url, home) });
    expect(storm).toMatchObject({ handshakes: 1, errors: [] });
  },
);

test('the peak of a storm is the most within 100 ms, wherever they begin', () => {
  expect(peak([])).toBe(0);
  expect(peak([0, 99, 100])).toBe(2);
  expect(peak([500, 0, 450, 549, 640])).toBe(3);
});
