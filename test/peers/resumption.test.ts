// Streams that end before their answer, at the SDK's own session server with an event store: the bridge takes them up
// again where they broke, so that the client sees one call, one answer, and every notification once.
import { describe, expect, test } from 'vitest';
import { RawClient } from './support/raw-client.ts';
import { oneTo, recited, startResumable } from './support/recital.ts';
import { pause, testScope, until } from './support/scope.ts';
import type { Peer } from './support/sdk-client.ts';
import { losses } from './support/sdk-server-tools.ts';
import { SdkService } from './support/sdk-server.ts';

const answersOf = (peer: Peer) => peer.received.filter((message) => message.method === undefined);

describe.each(losses)('a stream that is %s', (loss) => {
  test.each([
    ['before the first event that carries a message', [0], false],
    ['midway, while the work goes on', [3], false],
    ['midway, with the rest sent live after the resumption', [3], true],
    ['after the last notification, with only the answer left', [6], false],
    ['again and again', [1, 2, 4, 6], true],
    ['again right after it was resumed, before anything else came', [2, 2, 2], true],
  ])('BR8 %s is resumed: nothing lost, nothing doubled, one answer', async (_, loseAfter, patient) => {
    const { service, peer } = await startResumable(testScope());
    const before = answersOf(peer).length;
    expect(await peer.callText('recite', { steps: 6, loseAfter, loss, patient })).toBe('run 1 recited 6');
    expect(recited(peer, 1)).toEqual(oneTo(6));
    expect(peer.received.at(-1)).toHaveProperty('result');
    expect(service.executions).toEqual({ recite: 1 });
    expect(service.resumptions().length).toBeGreaterThanOrEqual(loseAfter.length);
    expect(service.received('initialize')).toHaveLength(1);

    // A second answer would come by the resumed stream; what is asked afterwards shows that there was none.
    expect(await peer.callText('add', { a: 1, b: 1 })).toBe('2');
    expect(answersOf(peer).length - before).toBe(2);
  });

  test('BR3 BR8 of many calls that lose their streams together, each gets its own rest', async () => {
    const { service, peer } = await startResumable(testScope());
    const steps = oneTo(8).map((n) => n + 2);
    const answers = await Promise.all(
      steps.map((n) => peer.callText('recite', { steps: n, loseAfter: [2], loss })),
    );
    expect(answers.map((answer) => answer.replace(/^run \d+ /, ''))).toEqual(
      steps.map((n) => `recited ${n}`),
    );
    for (const answer of answers) {
      const [, run, count] = /^run (\d+) recited (\d+)$/.exec(answer) ?? [];
      expect(recited(peer, Number(run))).toEqual(oneTo(Number(count)));
    }
    expect(service.executions).toEqual({ recite: 8 });
    expect(service.received('initialize')).toHaveLength(1);
  });

  test('BR8 the pause that the server asked for by `retry` is kept before each resumption', async () => {
    const { service, peer } = await startResumable(testScope(), { retryMs: 700 });
    await peer.callText('recite', { steps: 2, loseAfter: [1, 2], loss, patient: true });
    const resumptions = service.resumptions();
    expect(resumptions).toHaveLength(2);
    for (const [index, { at }] of resumptions.entries()) {
      const waitedMs = at - (service.lossesAt[index] ?? 0);
      expect(waitedMs).toBeGreaterThanOrEqual(690);
      expect(waitedMs).toBeLessThan(2_500);
    }
  });
});

test('BR8 the resumption carries the id of the last event, and the session and revision of the call', async () => {
  const { service, peer } = await startResumable(testScope());
  await peer.callText('recite', { steps: 4, loseAfter: [2] });
  const call = service.requests.find(({ messages }) => messages[0]?.method === 'tools/call');
  const [resumption] = service.resumptions();
  expect(resumption?.headers['last-event-id']).toMatch(/^event-\d+$/);
  expect(resumption?.headers.accept).toContain('text/event-stream');
  for (const name of ['mcp-session-id', 'mcp-protocol-version'] as const)
    expect(resumption?.headers[name]).toBe(call?.headers[name]);
});

test('BR8 a stream of an older revision, which opens without an event of its own, is resumed from its last message', async () => {
  const scope = testScope();
  const service = await SdkService.start(scope, { resumable: true });
  const client = new RawClient(scope, service.url);
  await client.initialize('2025-06-18');
  const args = { steps: 5, loseAfter: [2] };
  const answer = await client.request({
    id: 9,
    method: 'tools/call',
    params: { name: 'recite', arguments: args },
  });
  expect(answer.result.content[0].text).toBe('run 1 recited 5');
  const heard = client.messages.filter((message) => message.method === 'notifications/message');
  expect(heard.map(({ params }) => params.data as number)).toEqual(oneTo(5));
  expect(service.executions).toEqual({ recite: 1 });
  expect(await client.end()).toBe(0);
});

test('BR8 BR13 without an event store a call that loses its stream gets one error that says so, and is not repeated', async () => {
  const scope = testScope();
  const service = await SdkService.start(scope);
  const client = new RawClient(scope, service.url);
  await client.initialize('2025-11-25');
  const args = { steps: 3, loseAfter: [2] };
  const reply = await client.request({
    id: 9,
    method: 'tools/call',
    params: { name: 'recite', arguments: args },
  });
  expect(reply.error?.data).toMatchObject({ code: expect.stringMatching(/^ERR_/) as string });
  await pause(300);
  expect(client.messages.filter((message) => message.id === 9)).toHaveLength(1);
  expect(service.executions).toEqual({ recite: 1 });
});

test('BR5 BR8 what the server announces while its own stream is broken comes once, after the stream is back', async () => {
  const { service, peer } = await startResumable(testScope());
  await until('the stream of the server', () => service.of('GET').length === 1);
  await peer.callText('announce');
  await peer.hears('notifications/tools/list_changed');
  service.cutOwnStreams();
  await peer.callText('announce');
  await peer.callText('announce');
  await peer.hears('notifications/tools/list_changed', 3);
  await peer.callText('announce');
  await peer.hears('notifications/tools/list_changed', 4);
  await pause(100);
  expect(peer.heard('notifications/tools/list_changed')).toHaveLength(4);
  expect(service.received('initialize')).toHaveLength(1);
});

test('BR5 SE6 the stream of the server comes back though it is refused with 503 for now', async () => {
  const { service, peer } = await startResumable(testScope());
  await until('the stream of the server', () => service.of('GET').length === 1);
  service.refusals.push(503);
  service.cutOwnStreams();
  await until('the refusal and a try after it', () => service.of('GET').length >= 3);
  await pause(50);
  await peer.callText('announce');
  await peer.hears('notifications/tools/list_changed');
  expect(service.received('initialize')).toHaveLength(1);
});
