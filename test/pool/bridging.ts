// Whole conversations in the test's own process that share one pool, over real HTTP: each a Bridge on a pair of streams.
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { Bridge } from '../../src/bridge/bridge.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRng } from '../../src/platform/random.ts';
import { Pool } from '../../src/pool/pool.ts';
import type { ScriptedService } from '../support/scripted-service.ts';
import type { RpcMessage } from '../support/scripted/messages.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

export function usePool(): Pool {
  const pool = new Pool({ clock: systemClock, rng: systemRng, observerFor: () => () => {} });
  onTestFinished(() => pool.close(AbortSignal.timeout(2000)));
  return pool;
}

/** A client and its bridge. */
export class PooledClient {
  readonly name: string;
  readonly messages: RpcMessage[] = [];
  /** How the client answers what it is asked. */
  onRequest: (message: RpcMessage) => object = () => ({});
  readonly #input = new PassThrough();
  readonly #bridge: Bridge;
  readonly #waiting = new Map<unknown, (reply: RpcMessage) => void>();

  constructor(pool: Pool, service: ScriptedService, name: string) {
    this.name = name;
    const output = new PassThrough();
    let rest = '';
    output.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as RpcMessage);
    });
    const url = new URL(service.url);
    const profile = { name: 'scripted', url, headers: {} };
    this.#bridge = new Bridge({
      input: this.#input,
      output,
      settings,
      clock: systemClock,
      rng: systemRng,
      observer: () => {},
      serviceHost: url.host,
      openSession: (client) => pool.lease({ ...client, profile, settings }),
      openStore: () => ({ load: () => undefined, save: () => Promise.resolve() }),
    });
    void this.#bridge.run();
  }

  send(message: object): void {
    this.#input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  request(id: unknown, method: string, params: object = {}): Promise<RpcMessage> {
    const reply = new Promise<RpcMessage>((resolve) => this.#waiting.set(id, resolve));
    this.send({ id, method, params });
    return reply;
  }

  initialize(): Promise<RpcMessage> {
    const clientInfo = { name: this.name, version: '1' };
    return this.request('init', 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo,
    });
  }

  call(id: unknown, name: string, args: object, progressToken?: unknown): Promise<RpcMessage> {
    const meta = progressToken === undefined ? {} : { _meta: { progressToken } };
    return this.request(id, 'tools/call', { name, arguments: args, ...meta });
  }

  cancel(requestId: unknown): void {
    this.send({ method: 'notifications/cancelled', params: { requestId } });
  }

  repliesTo(id: unknown): RpcMessage[] {
    return this.messages.filter((message) => message.id === id && message.method === undefined);
  }

  notes(method: string): RpcMessage[] {
    return this.messages.filter((message) => message.method === `notifications/${method}`);
  }

  /** Goes, as when its process is gone. */
  async leave(): Promise<void> {
    this.#input.end();
    await this.#bridge.close(AbortSignal.timeout(1500));
  }

  #take(message: RpcMessage): void {
    this.messages.push(message);
    if (message.method === undefined) this.#waiting.get(message.id)?.(message);
    else if (message.id !== undefined) this.send({ id: message.id, result: this.onRequest(message) });
  }
}
