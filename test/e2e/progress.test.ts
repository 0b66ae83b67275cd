// Progress and log messages while a call runs, through the real program.
import { expect, test } from 'vitest';
import { rawSse, sseEvent, type RpcMessage } from '../support/scripted-service.ts';
import { useBridged } from '../support/use.ts';

const progressOf = (message: RpcMessage): unknown => message.params?.['progress'];

test('BR7 progress and log messages arrive in order, all before the answer', async () => {
  const { bridge } = await useBridged({ service: { answers: 'sse' } });
  const params = { name: 'progress', arguments: { steps: 50 }, _meta: { progressToken: 'tok' } };
  await bridge.request('tools/call', params, { id: 'p' });
  const during = bridge.messages.slice(1);
  expect(during).toHaveLength(101);
  expect(during.at(-1)!.id).toBe('p');
  const progress = during.filter(({ method }) => method === 'notifications/progress');
  expect(progress.map(progressOf)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(progress.every(({ params: each }) => each!['progressToken'] === 'tok')).toBe(true);
  const logged = during.filter(({ method }) => method === 'notifications/message');
  expect(logged.map(({ params: each }) => each!['data'])).toEqual(
    Array.from({ length: 50 }, (_, i) => `step ${i + 1}`),
  );
});

test('BR7 it arrives while the call still runs', async () => {
  const { service, bridge } = await useBridged();
  let finish = (): void => {};
  service.once({ tool: 'read' }, async (exchange) => {
    const stream = exchange.openStream();
    stream.send(
      '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"half way"}}',
    );
    await new Promise<void>((resolve) => (finish = resolve));
    stream.send(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{}}`);
    stream.complete();
  });
  bridge.send({ jsonrpc: '2.0', id: 'r', method: 'tools/call', params: { name: 'read' } });
  await bridge.next(({ params }) => params?.['data'] === 'half way');
  expect(bridge.repliesTo('r')).toEqual([]);
  finish();
  expect(await bridge.reply('r')).toHaveProperty('result');
});

test('BR7 calls that run at once get the progress of their own token', async () => {
  const { bridge } = await useBridged({ service: { answers: 'sse' } });
  const tokens = ['a', 'b', 1, '1'];
  await Promise.all(
    tokens.map((progressToken, i) =>
      bridge.request('tools/call', {
        name: 'progress',
        arguments: { steps: i + 2 },
        _meta: { progressToken },
      }),
    ),
  );
  for (const [i, token] of tokens.entries()) {
    const own = bridge.messages.filter(({ params }) => params?.['progressToken'] === token);
    expect(own.map(progressOf)).toEqual(Array.from({ length: i + 2 }, (_, step) => step + 1));
  }
});

test('BR7 progress that comes after the answer, or for no call at all, is not passed on', async () => {
  const { service, bridge } = await useBridged();
  const progress = (token: unknown, step: number): string =>
    sseEvent(
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: token, progress: step },
      }),
    );
  service.once({ tool: 'read' }, (exchange) => {
    const token = (exchange.message.params!['_meta'] as { progressToken: unknown }).progressToken;
    const answer = sseEvent(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{}}`);
    return rawSse(() => progress(token, 1) + progress('stranger', 1) + answer + progress(token, 2))(exchange);
  });
  await bridge.request('tools/call', { name: 'read', _meta: { progressToken: 'mine' } }, { id: 'r' });
  expect(await bridge.callTool('read')).toHaveProperty('result');
  await bridge.close();
  expect(bridge.messages.filter(({ method }) => method === 'notifications/progress').map(progressOf)).toEqual(
    [1],
  );
});

test('BR7 progress on the GET stream comes before the answer or not at all', async () => {
  const { service, bridge } = await useBridged({ service: { answers: 'json' } });
  for (let round = 0; round < 20; round += 1) {
    const params = { name: 'progress', arguments: { steps: 5 }, _meta: { progressToken: `round-${round}` } };
    await bridge.request('tools/call', params, { id: `call-${round}` });
  }
  await bridge.close();
  const late = bridge.messages.filter(({ params }, at) => {
    const call = String(params?.['progressToken']).replace('round', 'call');
    return bridge.messages.slice(0, at).some(({ id }) => id === call);
  });
  expect(late).toEqual([]);
  expect(service.record.of('tools/call')).toHaveLength(20);
});
