// Two clients' whole conversations on one session, over real HTTP.
import { describe, expect, test } from 'vitest';
import type { RpcMessage } from '../support/scripted/messages.ts';
import { useService } from '../support/use.ts';
import { PooledClient, usePool } from './bridging.ts';

const IDS = Array.from({ length: 1000 }, (_, n) => n);
const STEPS = 2;
/** How many calls of one client are under way at once. */
const WIDTH = 40;

/** What a client does under one id: the same as the other does under it, but for what it sends along. */
async function doOne(client: PooledClient, id: number): Promise<void> {
  switch (id % 5) {
    case 0:
      void client.call(id, 'slow', { ms: 60_000, key: `${client.name}-${id}` });
      // At once, or when the service has it.
      if (id % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      client.cancel(id);
      return;
    case 1:
      await client.call(id, 'progress', { steps: STEPS }, id);
      return;
    case 2:
      await client.call(String(id), 'echo', { value: `${client.name} "${id}"`, ms: id % 7 });
      return;
    default:
      await client.call(id, 'echo', { value: `${client.name} ${id}`, ms: id % 3 });
  }
}

async function doAll(client: PooledClient): Promise<void> {
  const ids = IDS.values();
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      for (const id of ids) await doOne(client, id);
    }),
  );
}

/** What the client got for its id, in words. */
function gotFor(client: PooledClient, id: number): string[] {
  const replies = client.repliesTo(id % 5 === 2 ? String(id) : id);
  return replies.map(({ result }) => {
    const { structuredContent, content } = result as {
      structuredContent?: { value: string };
      content: [{ text: string }];
    };
    return structuredContent?.value ?? content[0].text;
  });
}

function dueFor(client: PooledClient, id: number): string[] {
  switch (id % 5) {
    case 0:
      return [];
    case 1:
      return [`${STEPS} steps`];
    case 2:
      return [`${client.name} "${id}"`];
    default:
      return [`${client.name} ${id}`];
  }
}

function progressOf(client: PooledClient): unknown[] {
  return client.notes('progress').map(({ params }) => params?.['progressToken']);
}

describe('DM2 two clients of one service', () => {
  test('BR3 BR6 BR7 make 2,000 calls under the same ids and tokens, and nothing is mixed up', async () => {
    const service = await useService({ answers: 'sse' });
    const pool = usePool();
    const clients = ['one', 'two'].map((name) => new PooledClient(pool, service, name));
    await Promise.all(clients.map((client) => client.initialize()));
    await Promise.all(clients.map(doAll));
    // The last cancellations may be on their way.
    await service.until(() => pool.stats().sessions[0]?.callsInFlight === 0);
    for (const client of clients) {
      expect(IDS.map((id) => gotFor(client, id))).toEqual(IDS.map((id) => dueFor(client, id)));
      const due = IDS.filter((id) => id % 5 === 1).flatMap((id) => Array.from({ length: STEPS }, () => id));
      expect(progressOf(client).toSorted((a, b) => Number(a) - Number(b))).toEqual(due);
    }
    const begun = [...service.record.executions.keys()];
    expect(begun.length).toBeGreaterThan(100);
    expect(new Set(service.record.cancelled).size).toBe(service.record.cancelled.length);
    expect(service.record.cancelled.length).toBeGreaterThanOrEqual(begun.length);
    expect([service.record.handshakes, service.sessionCount]).toEqual([1, 1]);
  }, 60_000);

  test('BR10 SC4 one of whom goes in the middle: its own calls are cancelled, and the other’s go on', async () => {
    const service = await useService();
    const pool = usePool();
    const [one, two] = ['one', 'two'].map((name) => new PooledClient(pool, service, name));
    await Promise.all([one!.initialize(), two!.initialize()]);
    const calls = IDS.slice(0, 100).map((id) => {
      void one!.call(id, 'slow', { ms: 60_000, key: `one-${id}` });
      return two!.call(id, 'slow', { ms: 300, key: `two-${id}` });
    });
    await service.until(() => service.record.of('tools/call').length === 200);
    await one!.leave();
    const replies = await Promise.all(calls);
    const texts = replies.map(({ result }) => (result as { content: [{ text: string }] }).content[0].text);
    expect(texts).toEqual(IDS.slice(0, 100).map((id) => `slow two-${id}`));
    await service.until(() => service.record.cancelled.length === 100);
    const idsOf = (name: string): unknown[] =>
      service.record
        .of('tools/call')
        .filter(({ key }) => key?.startsWith(name))
        .map(({ messages }) => messages[0]!.id);
    expect(new Set(service.record.cancelled)).toEqual(new Set(idsOf('one')));
    expect(await two!.call('after', 'read', {})).toHaveProperty('result');
    expect([service.record.handshakes, service.record.deleted]).toEqual([1, []]);

    // The next launch finds the session warm, when all have gone too.
    await two!.leave();
    const requests = service.record.requests.length;
    const three = new PooledClient(pool, service, 'three');
    expect(await three.initialize()).toHaveProperty('result.serverInfo.name', 'scripted-service');
    expect(service.record.requests).toHaveLength(requests);
  });

  test('BR2 are kept apart on the one stream of the oldest transport too', async () => {
    const service = await useService({ legacyPath: '/sse' });
    const pool = usePool();
    const clients = ['one', 'two'].map((name) => new PooledClient(pool, service, name));
    await Promise.all(clients.map((client) => client.initialize()));
    const ids = IDS.filter((id) => id < 200 && id % 5 !== 0);
    await Promise.all(clients.flatMap((client) => ids.map((id) => doOne(client, id))));
    for (const client of clients) {
      expect(ids.map((id) => gotFor(client, id))).toEqual(ids.map((id) => dueFor(client, id)));
      expect(new Set(progressOf(client))).toEqual(new Set(ids.filter((id) => id % 5 === 1)));
    }
    expect(service.record.handshakes).toBe(1);
  });

  test('SE4 get one new session when theirs is lost, and every call its answer', async () => {
    const service = await useService();
    const pool = usePool();
    const clients = ['one', 'two'].map((name) => new PooledClient(pool, service, name));
    await Promise.all(clients.map((client) => client.initialize()));
    service.forgetSessions();
    const replies = await Promise.all(
      clients.flatMap((client) =>
        IDS.slice(0, 50).map((id) => client.call(id, 'write', { key: `${client.name}-${id}` })),
      ),
    );
    expect(replies.filter(({ result }) => result === undefined)).toEqual([]);
    expect(new Set(service.record.executions.values())).toEqual(new Set([1]));
    expect([service.record.handshakes, service.record.executions.size]).toEqual([2, 100]);
    for (const client of clients) expect(client.notes('tools/list_changed')).toHaveLength(1);
  });

  test('BR5 are each asked what their own call is about, and both told what holds for all', async () => {
    const service = await useService({ answers: 'sse' });
    const pool = usePool();
    const clients = ['one', 'two'].map((name) => new PooledClient(pool, service, name));
    for (const client of clients) client.onRequest = () => ({ answeredBy: client.name });
    await Promise.all(clients.map((client) => client.initialize()));
    await service.until(() => service.openGetStreams === 1);
    const answers = await Promise.all(
      clients.flatMap((client) => [1, 2, 3].map((id) => client.call(id, 'ask', { method: 'roots/list' }))),
    );
    const by = answers.map(
      (reply: RpcMessage) => /answeredBy\\*":\\*"(\w+)/.exec(JSON.stringify(reply))?.[1],
    );
    expect(by).toEqual(['one', 'one', 'one', 'two', 'two', 'two']);
    service.notify('notifications/prompts/list_changed');
    await expect
      .poll(() => clients.map((client) => client.notes('prompts/list_changed').length))
      .toEqual([1, 1]);
    await clients[0]!.call(4, 'read', {});
    const answer = await service.ask('roots/list');
    expect(answer).toMatchObject({ result: { answeredBy: 'one' } });
  });
});
