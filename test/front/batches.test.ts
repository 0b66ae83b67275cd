// Batches, which a front follows as a whole, from one daemon to the next.
import { expect, test } from 'vitest';
import { NOT_JSON, request, useServed } from './scene.ts';

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
