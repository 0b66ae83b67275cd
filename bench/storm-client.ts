// One client of the storm: it asks again and again, and notes when it was answered.
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly code?: string } };
}

/** Between an answer and the next question, in milliseconds. */
const pauseMs = 250;

export class StormClient {
  /** Codes of the errors that it got. */
  readonly errors: string[] = [];
  /** When the last good answer came, in milliseconds since 1970. */
  lastAnswerAt = 0;
  /** The first of them after the restart. */
  wellAt: number | undefined;
  readonly #input: Writable;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #nextId = 1;
  #rest = '';

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    output.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as Reply);
    });
  }

  async introduce(name: string): Promise<void> {
    await this.#ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name, version: '1.0.0' },
    });
    this.#input.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    // Afterwards the bridge knows that the tool may be called twice.
    await this.#ask('tools/list', {});
    await this.look();
    if (this.errors.length > 0) throw new Error(`A client could not begin: ${this.errors.join(', ')}`);
  }

  /** Calls a tool that only reads. */
  async look(): Promise<void> {
    await this.#ask('tools/call', { name: 'look', arguments: {} });
  }

  async lookUntil(signal: AbortSignal): Promise<void> {
    // Not all in step.
    await sleep(pauseMs * Math.random());
    while (!signal.aborted) {
      await this.look();
      await sleep(pauseMs);
    }
  }

  async #ask(method: string, params: object): Promise<void> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(id, resolve);
    this.#input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const { error } = await promise;
    if (error === undefined) this.lastAnswerAt = Date.now();
    else this.errors.push(error.data?.code ?? error.message);
  }

  #take(reply: Reply): void {
    if (reply.id === undefined) return;
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}
