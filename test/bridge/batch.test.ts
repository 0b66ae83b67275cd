// Batches, which revision 2025-03-26 alone has: one reply for all, whatever is in them.
import { describe, expect, test, vi } from 'vitest';
import { BatchReply } from '../../src/bridge/batch-reply.ts';
import { scanEnvelope, type ScanResult } from '../../src/protocol/envelope.ts';
import { settle } from '../support/fake-clock.ts';
import { FakeService } from './fake-service.ts';
import { Harness, type Reply } from './harness.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const call = (id: unknown): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { key: id } });
const note = { jsonrpc: '2.0', method: 'notifications/x' };
const ping = { jsonrpc: '2.0', id: 'ping', method: 'ping' };
/** What no request can be made of, and what gets no reply: there is none that it could be an answer to. */
const brokenAnswer = { jsonrpc: '2.0', id: 5, result: {}, error: {} };

async function connected() {
  const service = new FakeService();
  service.protocolVersion = '2025-03-26';
  const harness = new Harness();
  await harness.initialize('2025-03-26');
  harness.lines.length = 0;
  return { harness, service };
}

const parsed = (lines: readonly string[]): (Reply | Reply[])[] =>
  lines.map((line) => JSON.parse(line) as Reply | Reply[]);

describe('BR8 a batch of the client', () => {
  test('gets one reply, when the last of its requests has one', async () => {
    const { harness, service } = await connected();
    await harness.send([call(1), note, call('two')]);
    expect(service.open).toHaveLength(2);
    service.open[1]?.answer();
    await settle();
    expect(harness.lines).toEqual([]);
    service.only.answer();
    await settle();
    const [replies, ...more] = parsed(harness.lines);
    expect(more).toEqual([]);
    expect((replies as Reply[]).toSorted((a, b) => String(a.id).localeCompare(String(b.id)))).toMatchObject([
      { id: 1, result: { to: 1 } },
      { id: 'two', result: { to: 'two' } },
    ]);
  });

  test('of notifications alone gets no reply, and they are sent', async () => {
    const { harness, service } = await connected();
    const before = service.notes.length;
    await harness.send([note, note]);
    expect(harness.lines).toEqual([]);
    expect(service.notes.length).toBe(before + 2);
  });

  test('BR11 gets an error for each element that is no message, beside the other replies', async () => {
    const { harness } = await connected();
    await harness.send([ping, 5, { jsonrpc: '2.0', id: 9, method: 7 }, [ping]]);
    const [replies] = parsed(harness.lines) as [Reply[]];
    expect(replies).toHaveLength(4);
    expect(replies.map(({ id }) => id)).toEqual(['ping', null, 9, null]);
    expect(replies.slice(1).map(({ error }) => error?.code)).toEqual([-32600, -32600, -32600]);
  });

  test('BR11 that is empty gets one error', async () => {
    const { harness } = await connected();
    await harness.send('[]');
    expect(parsed(harness.lines)).toMatchObject([{ id: null, error: { code: -32600 } }]);
  });

  test('BR13 is answered though one of its requests was cancelled', async () => {
    const { harness, service } = await connected();
    await harness.send([call(1), call(2)]);
    await harness.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    service.open[0]?.answer();
    await settle();
    expect(parsed(harness.lines)).toMatchObject([[{ id: 1, result: { to: 1 } }]]);
  });

  test('BR13 is answered though it holds something that gets no reply', async () => {
    const { harness } = await connected();
    await harness.send([ping, brokenAnswer]);
    expect(parsed(harness.lines)).toMatchObject([[{ id: 'ping', result: {} }]]);
  });
});

describe('the gathering of replies', () => {
  const elements = (batch: readonly unknown[]): readonly ScanResult[] => {
    const scan = scanEnvelope(Buffer.from(JSON.stringify(batch)));
    return scan.kind === 'batch' ? scan.elements : [];
  };

  test('waits for the end of the batch though all replies so far are there', () => {
    const lines: string[] = [];
    const batch = new BatchReply((line) => void lines.push(line.toString()));
    const [first, second] = elements([ping, ping]);
    batch.part(first!)(Buffer.from('{"a":1}'));
    batch.part(second!)(Buffer.from('{"b":1.50}'));
    expect(lines).toEqual([]);
    batch.close();
    expect(lines).toEqual(['[{"a":1},{"b":1.50}]']);
  });

  test('writes nothing where nothing is to be said', () => {
    const lines: string[] = [];
    const batch = new BatchReply((line) => void lines.push(line.toString()));
    for (const element of elements([note, note])) batch.part(element);
    batch.close();
    expect(lines).toEqual([]);
  });
});
