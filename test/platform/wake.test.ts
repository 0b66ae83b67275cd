// Noticing that the machine has slept or changed networks.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../../src/platform/clock.ts';
import { watchForWake } from '../../src/platform/wake.ts';
import { FakeClock } from '../support/fake-clock.ts';

const os = vi.hoisted(() => ({ networkInterfaces: vi.fn() }));
vi.mock('node:os', () => os);

class Machine {
  readonly fake = new FakeClock();
  readonly reasons: string[] = [];
  network = 'eth0 10.0.0.5';
  /** How far the calendar is from the running time: while the machine sleeps, only the calendar goes on. */
  asleepMs = 0;
  readonly stop: () => void;

  constructor(readNetwork?: 'own') {
    const { fake } = this;
    const clock: Clock = {
      now: () => fake.now(),
      wallTime: () => fake.wallTime() + this.asleepMs,
      after: (delayMs, callback) => fake.after(delayMs, callback),
    };
    const onWake = (reason: string): void => void this.reasons.push(reason);
    this.stop =
      readNetwork === 'own' ? watchForWake(clock, onWake) : watchForWake(clock, onWake, () => this.network);
  }
}

describe('SE7 a machine that has slept', () => {
  test('is noticed within five seconds of its running again, once', async () => {
    const machine = new Machine();
    await machine.fake.advance(60_000);
    machine.asleepMs += 60_000;
    await machine.fake.advance(5000);
    expect(machine.reasons).toEqual(['the machine was asleep']);
    await machine.fake.advance(3_600_000);
    expect(machine.reasons).toHaveLength(1);
  });

  test('is noticed each time', async () => {
    const machine = new Machine();
    for (let n = 0; n < 3; n += 1) {
      machine.asleepMs += 3_600_000;
      await machine.fake.advance(5000);
    }
    expect(machine.reasons).toHaveLength(3);
  });

  test('is told from one that was only busy, and from a clock that was set back', async () => {
    const machine = new Machine();
    machine.asleepMs += 9000;
    await machine.fake.advance(5000);
    machine.asleepMs -= 86_400_000;
    await machine.fake.advance(5000);
    expect(machine.reasons).toEqual([]);
  });

  test('says so where it also woke up in another network', async () => {
    const machine = new Machine();
    machine.asleepMs += 60_000;
    machine.network = 'wlan0 192.168.1.9';
    await machine.fake.advance(10_000);
    expect(machine.reasons).toEqual(['the machine was asleep']);
  });
});

describe('SE7 a machine that has changed networks', () => {
  test('is noticed within five seconds, once', async () => {
    const machine = new Machine();
    await machine.fake.advance(60_000);
    machine.network = 'eth0 10.0.0.5\ntun0 10.8.0.2';
    await machine.fake.advance(5000);
    expect(machine.reasons).toEqual(['the network has changed']);
    await machine.fake.advance(3_600_000);
    expect(machine.reasons).toHaveLength(1);
  });

  test('is noticed when it changes back, too', async () => {
    const machine = new Machine();
    const home = machine.network;
    for (const network of ['', home]) {
      machine.network = network;
      await machine.fake.advance(5000);
    }
    expect(machine.reasons).toHaveLength(2);
  });
});

describe('SE7 the network that a machine is in', () => {
  type Interface = { address: string; internal: boolean };
  const LOOPBACK: Interface = { address: '127.0.0.1', internal: true };
  const HOME: Interface = { address: '10.0.0.5', internal: false };

  /** How many changes are noticed from one set of interfaces to another. */
  async function changes(before: Record<string, Interface[] | undefined>, after: typeof before) {
    os.networkInterfaces.mockReturnValue(before);
    onTestFinished(() => void os.networkInterfaces.mockReset());
    const machine = new Machine('own');
    await machine.fake.advance(5000);
    os.networkInterfaces.mockReturnValue(after);
    await machine.fake.advance(5000);
    machine.stop();
    return machine.reasons.length;
  }

  test.each([
    ['an address that went', { lo: [LOOPBACK], eth0: [HOME] }, { lo: [LOOPBACK] }],
    ['an address that came', { eth0: [HOME] }, { eth0: [HOME], tun0: [{ ...HOME, address: '10.8.0.2' }] }],
    ['another address', { eth0: [HOME] }, { eth0: [{ ...HOME, address: '10.0.0.6' }] }],
    ['the same address on another interface', { eth0: [HOME] }, { wlan0: [HOME] }],
  ])('is another with %s', async (_what, before, after) => {
    expect(await changes(before, after)).toBe(1);
  });

  test.each([
    ['loopback, which says nothing', { lo: [LOOPBACK], eth0: [HOME] }, { eth0: [HOME] }],
    [
      'addresses that hold on the link alone, which come and go',
      { eth0: [HOME] },
      { eth0: [HOME, { address: 'fe80::1', internal: false }] },
    ],
    [
      'the same in another order',
      { eth0: [HOME], tun0: [{ ...HOME, address: '10.8.0.2' }] },
      { tun0: [{ ...HOME, address: '10.8.0.2' }], eth0: [HOME] },
    ],
    ['an interface without addresses', { eth0: [HOME] }, { eth0: [HOME], wlan0: undefined }],
  ])('is the same but for %s', async (_what, before, after) => {
    expect(await changes(before, after)).toBe(0);
  });
});

describe('SE7 a system that does not tell its network', () => {
  /** How many changes are noticed when it tells these, one after the other; undefined where it does not. */
  async function changes(...addresses: readonly (string | undefined)[]): Promise<number> {
    let address: string | undefined;
    os.networkInterfaces.mockImplementation(() => {
      if (address === undefined) throw new Error('uv_interface_addresses returned EMFILE');
      return { eth0: [{ address, internal: false }] };
    });
    onTestFinished(() => void os.networkInterfaces.mockReset());
    address = addresses[0];
    const machine = new Machine('own');
    for (address of addresses.slice(1)) await machine.fake.advance(5000);
    machine.stop();
    return machine.reasons.length;
  }

  test.each<[string, (string | undefined)[], number]>([
    ['for a while has not changed it', ['10.0.0.5', undefined, '10.0.0.5'], 0],
    ['while it changes is noticed later', ['10.0.0.5', undefined, undefined, '10.0.0.6'], 1],
    ['at first has not changed it when it does', [undefined, '10.0.0.5'], 0],
    ['at first is watched from when it does', [undefined, '10.0.0.5', '10.0.0.6'], 1],
  ])('%s', async (_what, addresses, count) => {
    expect(await changes(...addresses)).toBe(count);
  });

  test('is still seen to have slept', async () => {
    os.networkInterfaces.mockImplementation(() => {
      throw new Error('uv_interface_addresses returned EPERM');
    });
    onTestFinished(() => void os.networkInterfaces.mockReset());
    const machine = new Machine('own');
    machine.asleepMs += 60_000;
    await machine.fake.advance(5000);
    expect(machine.reasons).toEqual(['the machine was asleep']);
  });
});

describe('BR10 the watch', () => {
  test('ends when it is stopped, with no timer left', async () => {
    const machine = new Machine();
    await machine.fake.advance(12_000);
    machine.stop();
    expect(machine.fake.pendingTimers).toBe(0);
    machine.asleepMs += 3_600_000;
    await machine.fake.advance(60_000);
    expect(machine.reasons).toEqual([]);
  });
});
