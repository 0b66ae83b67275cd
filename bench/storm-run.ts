// One storm: a crowd at work, its service killed and started again, and what that was like for the service and for the crowd.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crowd } from './storm-crowds.ts';
import type { Seen } from './storm-service.ts';

export interface Storm {
  readonly clients: number;
  readonly sessions: number;
  /** Handshakes that the service saw after its restart. */
  readonly handshakes: number;
  /** Of the client that made most. */
  readonly mostHandshakes: number;
  /** Within any 100 ms: attempts to connect, from the loss on, and handshakes. */
  readonly peakAttempts: number;
  readonly peakHandshakes: number;
  /** From the moment at which the service was there again, in milliseconds, for each client. */
  readonly wellAfterMs: readonly number[];
  /** Requests that were answered with an error of the bridge's. */
  readonly errors: readonly string[];
  readonly mbEach: number;
}

export interface StormOptions {
  /** How long the service is away, in milliseconds. */
  readonly downMs: number;
  /** How long the crowd may take to be well again, in milliseconds. */
  readonly limitMs: number;
  readonly gather: (url: string) => Promise<Crowd>;
}

const windowMs = 100;
/** What comes too late to be needed comes within this time, in milliseconds. */
const settleMs = 1500;

export async function runStorm({ downMs, limitMs, gather }: StormOptions): Promise<Storm> {
  const first = await StormService.start(0);
  let service = first;
  const leaving = new AbortController();
  let crowd: Crowd | undefined;
  try {
    crowd = await gather(first.url);
    const { clients } = crowd;
    const looking = Promise.all(clients.map((client) => client.lookUntil(leaving.signal)));
    await sleep(500);
    const lostAt = Date.now();
    await first.kill();
    await sleep(downMs);
    service = await StormService.start(first.port);
    const backAt = Date.now();
    while (clients.some(({ lastAnswerAt }) => lastAnswerAt < backAt)) {
      if (Date.now() - backAt > limitMs) throw new Error(`Not all are well after ${limitMs} ms.`);
      await sleep(5);
      for (const client of clients) if (client.lastAnswerAt >= backAt) client.wellAt ??= client.lastAnswerAt;
    }
    await sleep(settleMs);
    const seen = await service.seen();
    leaving.abort();
    await looking;
    const each = Object.values(seen.handshakes);
    return {
      clients: clients.length,
      sessions: crowd.sessions,
      handshakes: each.reduce((sum, one) => sum + one, 0),
      mostHandshakes: Math.max(0, ...each),
      peakAttempts: peak(crowd.attempts.filter((at) => at >= lostAt)),
      peakHandshakes: peak(seen.handshakesAt),
      wellAfterMs: clients.map(({ wellAt }) => (wellAt ?? Infinity) - backAt),
      errors: clients.flatMap(({ errors }) => errors),
      mbEach: crowd.mbEach,
    };
  } finally {
    leaving.abort();
    await crowd?.close();
    await service.kill();
  }
}

/** The most that lie within one window of 100 ms, wherever it begins. */
export function peak(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let from = 0;
  for (const [at, time] of sorted.entries()) {
    while (time - sorted[from]! >= windowMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}

class StormService {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(port: number): Promise<StormService> {
    const child = fork(join(import.meta.dirname, 'storm-service.ts'), [String(port)]);
    const [address] = (await once(child, 'message')) as [AddressInfo];
    return new StormService(child, address.port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  async seen(): Promise<Seen> {
    this.#child.send('seen');
    const [seen] = (await once(this.#child, 'message')) as [Seen];
    return seen;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
