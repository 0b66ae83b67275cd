// A daemon that is not there, and one that says nothing any more: nobody waits for ever.
import { expect, test } from 'vitest';
import { INITIALIZE, request, result, Scene, useServed, type Daemon } from './scene.ts';

const pings = (daemon: Daemon): string[] =>
  daemon.got.flatMap((line) => {
    const { id } = JSON.parse(line) as { id?: unknown };
    return String(id).startsWith('mcp-bridge-there-') ? [String(id)] : [];
  });

/** Time passes in which these answer their pings. */
async function live(scene: Scene, ms: number, daemons: readonly Daemon[]): Promise<void> {
  const answered = new Set<string>();
  for (let passed = 0; passed < ms; passed += 500) {
    await scene.clock.advance(500);
    for (const daemon of daemons)
      for (const id of pings(daemon)) {
        if (!answered.has(id)) daemon.say(result(id));
        answered.add(id);
      }
    await scene.pass();
  }
}

/** With the tool `reads`, which may be called twice. */
async function useReader(): ReturnType<typeof useServed> {
  const served = await useServed();
  const { scene, daemon } = served;
  await scene.client(request(2, 'tools/list'));
  const tools = [{ name: 'reads', inputSchema: {}, annotations: { readOnlyHint: true } }];
  daemon.say(result(2, { tools }));
  await scene.pass();
  return served;
}

test('RT7 DM4 what no daemon takes within its time limit is answered by the front, and is not sent later', async () => {
  const { scene, daemon } = await useReader();
  await scene.client(request(3, 'prompts/list'));
  daemon.die();
  await scene.pass();
  await scene.client(request(4, 'tools/call', { name: 'writes' }));
  await scene.clock.advance(19_000);
  expect(scene.repliesTo(3)).toEqual([]);
  await scene.clock.advance(1500);
  expect(scene.repliesTo(3)).toMatchObject([{ error: { data: { code: 'ERR_UPSTREAM_TIMEOUT' } } }]);
  expect(scene.repliesTo(4)).toEqual([]);
  await scene.clock.advance(10_000);
  expect(scene.repliesTo(4)).toMatchObject([{ error: { data: { code: 'ERR_UPSTREAM_TIMEOUT' } } }]);
  const next = await scene.daemon();
  const ids = next.got.map((line) => JSON.parse(line).id);
  expect(ids).not.toContain(3);
  expect(ids).not.toContain(4);
});

test('RT7 before any daemon has told its time limits, what waits goes on waiting for the search to end', async () => {
  const scene = new Scene();
  await scene.client(INITIALIZE);
  await scene.clock.advance(100_000);
  expect(scene.told).toEqual([]);
  expect((await scene.daemon()).got).toEqual([INITIALIZE]);
});

test('DM6 a daemon that says nothing for long is asked whether it is there, and stays when it is', async () => {
  const { scene, daemon } = await useReader();
  await scene.client(request(3, 'tools/call', { name: 'writes' }));
  await live(scene, 105_000, [daemon]);
  expect(pings(daemon).length).toBeGreaterThan(8);
  expect(scene.isLooking).toBe(false);
  daemon.say(result(3, { content: [] }));
  await scene.pass();
  expect(scene.repliesTo(3)).toEqual([{ jsonrpc: '2.0', id: 3, result: { content: [] } }]);
  // The answers to the front's own pings are nobody else's.
  expect(scene.told.filter((line) => line.includes('mcp-bridge-there'))).toEqual([]);
});

test('DM6 RT4 a daemon that is stuck is left: reads go to the next one, writes end as unknown', async () => {
  const { scene, daemon } = await useReader();
  await scene.client(
    request(3, 'tools/call', { name: 'reads' }),
    request(4, 'tools/call', { name: 'writes' }),
  );
  await scene.clock.advance(39_000);
  expect(pings(daemon)).toHaveLength(1);
  expect(scene.isLooking).toBe(false);
  await scene.clock.advance(1500);
  expect(scene.isLooking).toBe(true);
  expect(scene.repliesTo(4)).toMatchObject([{ error: { data: { code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN' } } }]);
});

test('DM5 DM6 two daemons that each have a long silent call are both asked', async () => {
  const { scene, daemon } = await useReader();
  await scene.client(request(3, 'tools/call', { name: 'writes' }));
  daemon.say('#drain');
  await scene.pass();
  const next = await scene.daemon();
  await scene.client(request(4, 'tools/call', { name: 'writes' }));
  await live(scene, 60_000, [daemon, next]);
  expect(scene.repliesTo(3)).toEqual([]);
  expect(scene.repliesTo(4)).toEqual([]);
  // One that is stuck is no reason not to ask the other.
  await live(scene, 45_000, [next]);
  expect(scene.repliesTo(3)).toMatchObject([{ error: { data: { code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN' } } }]);
  expect(scene.repliesTo(4)).toEqual([]);
});

test('DM6 a daemon that nobody waits for is left in peace', async () => {
  const { scene, daemon } = await useReader();
  await scene.clock.advance(600_000);
  expect(pings(daemon)).toEqual([]);
  expect(scene.isLooking).toBe(false);
});
