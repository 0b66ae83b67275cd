// What many calls leave behind in a daemon. `npm run bench` holds it to the figures of PF3 themselves, on a quiet machine; here the
// bounds leave room for a busy one, and would still show anything that grows with each call.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bridgeName, listCandidates } from '../../bench/candidates.ts';
import { measureGrowth } from '../../bench/measure.ts';
import { startServiceProcess } from '../../bench/service-process.ts';

test('PF3 a daemon is small, and 20,000 calls leave little behind', { timeout: 120_000 }, async (context) => {
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-growth-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const service = await startServiceProcess({ mode: 'sse', handshakeMs: 0 });
  onTestFinished(() => service.close());
  const bridge = listCandidates(home).find(({ name }) => name === bridgeName);
  const growth = await measureGrowth(bridge!.commandFor(service.url), 20_000, bridge!.daemon);
  if (growth === undefined) {
    context.skip('needs /proc');
    return;
  }
  const { idleMb, warmMb, afterMb } = growth;
  expect(idleMb).toBeLessThan(95);
  expect(afterMb - idleMb).toBeLessThan(26);
  // 400 bytes a call would be 6 MB.
  expect(afterMb - warmMb).toBeLessThan(6);
});
