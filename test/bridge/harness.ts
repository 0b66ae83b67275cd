// A whole bridge whose client, network, clock and chance are in the test's hands. The file that uses it must put the fake
// network in place: vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts')).
import { PassThrough } from 'node:stream';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import { Session } from '../../src/upstream/session.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { defaultSettings as defaults } from '../support/default-settings.ts';

export interface Reply {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly code: string };
  };
}

export class Harness {
  readonly clock = new FakeClock();
  readonly events: BridgeEvent[] = [];
  /** Each line that the client got. */
  readonly lines: string[] = [];
  /** What has ended the conversation. */
  ending: string | undefined;
  readonly #input = new PassThrough();
  readonly #output = new PassThrough();
  readonly #bridge: Bridge;

  constructor(settings: Partial<Settings> = {}, isBehindFront = false) {
    let rest = '';
    this.#output.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
    const shared = {
      settings: { ...defaults, ...settings },
      clock: this.clock,
      rng: () => 0.5,
      observer: (event: BridgeEvent) => void this.events.push(event),
    };
    const url = new URL('https://service.example/mcp');
    this.#bridge = new Bridge({
      ...shared,
      input: this.#input,
      output: this.#output,
      isBehindFront,
      serviceHost: url.host,
      openSession: (parts) =>
        new Session({ ...shared, ...parts, profile: { name: 'test', url, headers: {} } }),
      openStore: () => ({ load: () => undefined, save: () => Promise.resolve() }),
    });
    void this.#bridge.run().then((reason) => (this.ending = reason));
  }

  /** Sends lines as the client does, and waits for what follows at once. */
  async send(...lines: readonly (string | object)[]): Promise<void> {
    for (const line of lines)
      this.#input.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    await settle();
  }

  /** Says no more. */
  async end(): Promise<void> {
    this.#input.end();
    await settle();
  }

  stopReading(): void {
    this.#output.pause();
  }

  async readAgain(): Promise<void> {
    this.#output.resume();
    // Whatever is taken makes room for more.
    for (let left = -1; left !== this.unreadBytes + this.untakenBytes; await settle())
      left = this.unreadBytes + this.untakenBytes;
  }

  /** Closes its end of the output. */
  async hangUp(): Promise<void> {
    this.#output.destroy();
    await settle();
  }

  /** What the client was told and has not read. */
  get unreadBytes(): number {
    return this.#output.writableLength + this.#output.readableLength;
  }

  /** What the client has said and the bridge has not taken. */
  get untakenBytes(): number {
    return this.#input.writableLength + this.#input.readableLength;
  }

  async initialize(protocolVersion = '2025-06-18', clientName = 'test'): Promise<void> {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: clientName, version: '1' } };
    await this.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params });
  }

  /** Ends it as when the client has gone. */
  async close(): Promise<void> {
    void this.#bridge.close(new AbortController().signal);
    await settle();
  }

  /** Each line, parsed; the messages of a batch one by one. */
  get messages(): Reply[] {
    return this.lines.flatMap((line) => JSON.parse(line) as Reply | Reply[]);
  }

  repliesTo(id: unknown): Reply[] {
    return this.messages.filter((message) => message.id === id && message.method === undefined);
  }

  /** `answered`, or the code of the bridge's own error, of each reply to this request. */
  outcomesOf(id: unknown): string[] {
    return this.repliesTo(id).map(
      ({ error }) => error?.data?.code ?? (error === undefined ? 'answered' : 'error'),
    );
  }
}
