// The promise that everything else serves, under faults drawn at random: each request gets exactly one reply, its own,
// and no write runs twice. A failure names its seed; `seeds` takes it to play the same run again.
import { expect, test } from 'vitest';
import {
  accepted,
  asSse,
  batchAnswer,
  busy,
  delayed,
  drip,
  emptyOk,
  halfJson,
  halfSse,
  hang,
  hangAfter,
  hangInSse,
  htmlPage,
  invalidJson,
  normally,
  nullIdError,
  pretty,
  resetAfter,
  resetBefore,
  resumable,
  sessionNotFound,
  sseWithoutAnswer,
  status,
  unknownId,
  wrongContentType,
  type Action,
} from '../support/scripted-service.ts';
import { expectOneReplyEach, useBridged } from '../support/use.ts';

const seeds = [1, 2, Math.floor(Math.random() * 2 ** 31)];

/** Mulberry32: small, and good enough to draw faults with. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const faults: readonly Action[] = [
  normally,
  normally,
  normally,
  asSse,
  pretty,
  batchAnswer,
  delayed(20),
  delayed(60, asSse),
  drip(1, 20),
  resumable({ retryMs: 20 }),
  resumable({ retryMs: 20, cut: true }),
  sessionNotFound,
  hang,
  hangAfter,
  hangInSse,
  resetBefore,
  resetAfter,
  halfJson('reset'),
  halfJson('finish'),
  halfSse('reset'),
  halfSse('finish'),
  sseWithoutAnswer,
  accepted,
  emptyOk,
  status(500),
  htmlPage(502),
  htmlPage(200),
  busy(503),
  busy(429, '1'),
  invalidJson,
  wrongContentType,
  unknownId,
  nullIdError,
];

test.each(seeds)(
  'BR13 BR3 under random faults each request gets one reply, its own, and no write runs twice (seed %i)',
  { retry: 0 },
  async (seed) => {
    const random = randomFrom(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const { service, bridge } = await useBridged({
      launch: { args: ['--tool-timeout-ms', '1500', '--request-timeout-ms', '1500'] },
    });

    const calls = Array.from({ length: 150 }, (_, i) => {
      const id = pick<string | number>([i + 100, `${i}`, -i - 1]);
      return { id, key: `key-${i}`, tool: pick(['write', 'read', 'echo']), cancelled: random() < 0.1 };
    });
    for (const { key } of calls) service.once({ rpc: 'tools/call', key }, pick(faults));
    for (const [i, { id, key, tool, cancelled }] of calls.entries()) {
      bridge.send({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: tool, arguments: { key, value: key } },
      });
      if (cancelled) bridge.notify('notifications/cancelled', { requestId: id });
      if (i === 40) service.cutAll();
      if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
    }
    const kept = calls.filter(({ cancelled }) => !cancelled);
    await Promise.all(kept.map(({ id }) => bridge.reply(id, 10_000)));

    // It has come through: what follows works, in a session.
    expect(await bridge.callTool('echo', { value: 'after' }, { id: 'after' })).toMatchObject({
      result: { structuredContent: { value: 'after' } },
    });
    expect((await bridge.close()).code).toBe(0);
    expectOneReplyEach(bridge, ['after', ...kept.map(({ id }) => id)]);
    const wrong = calls.filter(({ id, key, tool }) => {
      const replies = bridge.repliesTo(id);
      const executions = service.record.executions.get(key) ?? 0;
      const isAnswered = replies[0]?.result !== undefined;
      const isOwn = !isAnswered || JSON.stringify(replies[0]!.result).includes(key);
      const isWrittenOnce = tool !== 'write' || (isAnswered ? executions === 1 : executions <= 1);
      return replies.length > 1 || !isOwn || !isWrittenOnce;
    });
    expect(wrong).toEqual([]);
    // Had everything failed, nothing would have been shown.
    expect(calls.filter(({ id }) => bridge.repliesTo(id)[0]?.result !== undefined).length).toBeGreaterThan(
      20,
    );
  },
);
