// HTTP+SSE of revision 2024-11-05, whose answers all come on one stream: what breaks when that stream does.
import { describe, test } from 'vitest';
import { fairMs } from '../../support/fair-time.ts';
import { sleep } from './eventually.ts';
import { errorCode } from './requests.ts';
import { expectCleanEnd, World } from './world.ts';

const open = (args: readonly string[] = []): Promise<World> =>
  World.open({ service: { legacyPath: '/sse' }, args });

describe.concurrent('over HTTP+SSE', { timeout: 60_000 }, () => {
  test('RT6 SE3 a stream that has died without a word is replaced once the way carries again', async ({
    expect,
  }) => {
    await using world = await open();
    const { service } = world;
    service.blackHole('silent');
    const [read, write] = [world.send('read'), world.send('write')];
    await sleep(7000);
    service.heal('silent');
    const healedAt = performance.now();
    const later = world.send('write');
    expect(await later.reply).toHaveProperty('result');
    expect(fairMs(healedAt, later.repliedAt)).toBeLessThan(4000);
    expect(await read.reply).toHaveProperty('result');
    expect(fairMs(healedAt, read.repliedAt)).toBeLessThan(12_000);
    expect(errorCode(await write.reply)).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(world.executions(write)).toBe(0);
    await expectCleanEnd(world);
  });

  test('SE4 BR13 RT4 a stream that is cut costs a write its answer, and nothing else', async ({ expect }) => {
    await using world = await open();
    const { service } = world;
    const [read, write] = [world.send('read'), world.send('write')];
    await service.until(() => world.executions(write) === 1);
    service.cutAll();
    expect(await read.reply).toHaveProperty('result');
    expect(['ERR_UPSTREAM_OUTCOME_UNKNOWN', undefined]).toContain(errorCode(await write.reply));
    expect(world.executions(write)).toBe(1);
    expect(await world.send('write').reply).toHaveProperty('result');
    await expectCleanEnd(world);
  });
});
