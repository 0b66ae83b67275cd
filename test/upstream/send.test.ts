// Notifications and answers on their way to the service.
import { describe, expect, test } from 'vitest';
import type { ResponseResult } from '../../src/upstream/response-reader.ts';
import { sendWithRetries } from '../../src/upstream/send.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { FakeWire, failed } from './fake-wire.ts';

const NOTE = Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}');
const broken: ResponseResult = {
  kind: 'broken',
  failed: failed('unknown', 'ERR_UPSTREAM_UNREACHABLE'),
  stream: undefined,
};
const accepted: ResponseResult = { kind: 'accepted' };

class Sending {
  readonly clock = new FakeClock();
  readonly wire = new FakeWire();
  readonly controller = new AbortController();
  result: ResponseResult | undefined;

  constructor() {
    const sink = { deliver: () => {}, ready: () => undefined };
    void sendWithRetries(this.wire, NOTE, sink, this.clock, this.controller.signal).then(
      (result) => (this.result = result),
    );
  }

  /** What comes of the newest try, and of the wait after it. */
  async end(result: ResponseResult): Promise<void> {
    this.wire.at(-1).start().finish(result);
    await settle();
    await this.clock.advance(1000);
  }
}

describe('BR8 RT3 a message that gets no answer', () => {
  test('is sent once where the service takes it', async () => {
    const world = new Sending();
    await world.end(accepted);
    expect([world.result, world.wire.exchanges.length]).toEqual([accepted, 1]);
    expect(world.wire.at(0).options.expectsAnswer).toBe(false);
  });

  test('is sent again, as it was, where the connection breaks', async () => {
    const world = new Sending();
    await world.end(broken);
    await world.end(accepted);
    expect(world.result).toEqual(accepted);
    expect(world.wire.exchanges.map(({ text }) => text)).toEqual([NOTE.toString(), NOTE.toString()]);
  });

  test('is given up after the third try', async () => {
    const world = new Sending();
    for (let n = 0; n < 3; n += 1) await world.end(broken);
    expect([world.result, world.wire.exchanges.length, world.clock.pendingTimers]).toEqual([broken, 3, 0]);
  });

  test('is not sent again where the service refuses it', async () => {
    const world = new Sending();
    const refused = { kind: 'refused', status: failed('refused', 'ERR_UPSTREAM_BUSY'), code: 503 } as const;
    await world.end(refused);
    expect([world.result, world.wire.exchanges.length]).toEqual([refused, 1]);
  });

  test('BR10 waits for nothing when it is no longer wanted', async () => {
    const world = new Sending();
    world.wire.at(0).start().finish(broken);
    await settle();
    world.controller.abort();
    await settle();
    expect([world.result?.kind, world.clock.pendingTimers]).toEqual(['aborted', 0]);
    await world.clock.advance(5000);
    expect(world.wire.exchanges).toHaveLength(1);
  });
});
