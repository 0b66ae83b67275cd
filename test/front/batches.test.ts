// Batches, which a front follows as a whole, from one daemon to the next.
import { expect, test } from 'vitest';
import {
  type Daemon,
  INITIALIZE,
  INITIALIZED,
  NOT_JSON,
  request,
  result,
  Scene,
  useServed,
} from './scene.ts';

const BATCH = `[${request(2, 'tools/list')},${request(3, 'prompts/list')}]`;

test('BR8 DM4 a batch is not forgotten for a line of garbage behind it', async () => {
  const { scene, daemon } = await useServed();
  await scene.client(BATCH, 'garbage');
  daemon.say(NOT_JSON);
  await scene.pass();
  daemon.die();
  await scene.wait();
  expect((await scene.daemon()).got.at(-1)).toBe(BATCH);
});

const cancellation = (id: number): string =>
  `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
const WRITES = `[${request(2, 'tools/call', { name: 'w' })},${request(3, 'tools/call', { name: 'w' })}]`;

test('BR6 DM5 the cancellation of one request of a batch goes to the daemon that has it', async () => {
  const { scene, daemon } = await useServed();
  await scene.client(WRITES);
  daemon.say('#drain');
  await scene.pass();
  const next = await scene.daemon();
  await scene.client(cancellation(2));
  expect(daemon.got.at(-1)).toBe(cancellation(2));
  expect(next.got).not.toContain(cancellation(2));
});

test('BR6 DM4 what is cancelled of a batch gets no reply when its daemon is lost', async () => {
  const { scene, daemon } = await useServed();
  await scene.client(WRITES);
  await scene.client(cancellation(2));
  daemon.die();
  await scene.wait();
  expect(scene.repliesTo(2)).toEqual([]);
  expect(scene.repliesTo(3)).toMatchObject([{ error: { data: { code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN' } } }]);
});

test('BR6 a batch that waits for a daemon is sent with what was cancelled of it, or not at all', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE, INITIALIZED, BATCH);
  await scene.client(cancellation(3));
  expect((await scene.daemon()).got.slice(2)).toEqual([BATCH, cancellation(3)]);

  const other = new Scene();
  await other.client(INITIALIZE, INITIALIZED, BATCH);
  await other.client(cancellation(3), cancellation(2));
  expect((await other.daemon()).got).not.toContain(BATCH);
});

test.each([
  ['answered', async (scene: Scene, daemon: Daemon) => daemon.say(`[${result(2)},${result(3)}]`)],
  ['cancelled', (scene: Scene) => scene.client(cancellation(2), cancellation(3))],
])('DM5 a daemon that drains is left when a batch is all that it had, and that is %s', async (_how, end) => {
  const { scene, daemon } = await useServed();
  await scene.client(WRITES);
  daemon.say('#drain');
  await scene.pass();
  await scene.daemon();
  expect(daemon.isLeft).toBe(false);
  await end(scene, daemon);
  await scene.pass();
  expect(daemon.isLeft).toBe(true);
});

test('BR5 BR8 answers that come in a batch go to the questions that they are for', async () => {
  const { scene, daemon } = await useServed();
  daemon.say(request(1, 'roots/list'));
  await scene.pass();
  daemon.die();
  await scene.wait();
  const next = await scene.daemon();
  next.say(request(1, 'sampling/createMessage'), request(2, 'roots/list'));
  await scene.pass();
  const before = next.got.length;
  const answers = [result(2, { for: 'sampling' }), result(1, { for: 'nobody' }), result(3, { for: 'roots' })];
  await scene.client(`[${answers.join(',')}]`);
  expect(next.got.slice(before)).toEqual([result(1, { for: 'sampling' }), result(2, { for: 'roots' })]);
});

test('BR6 BR8 a cancellation in a batch is one as any other, behind the requests beside it', async () => {
  const { scene, daemon } = await useServed();
  await scene.client(request(2, 'tools/list'));
  const list = request(3, 'prompts/list');
  await scene.client(`[${cancellation(2)},${list},${cancellation(3)},${INITIALIZED}]`);
  expect(daemon.got.slice(-4)).toEqual([`[${list}]`, cancellation(2), cancellation(3), INITIALIZED]);
  daemon.die();
  await scene.wait();
  expect((await scene.daemon()).got.join('\n')).not.toContain('/list"');
});
