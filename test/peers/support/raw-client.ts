// A client that is nothing but lines: it writes to the bridge what a test says, byte for byte, and keeps what comes back.
import { bridgeCommand, type LaunchOptions } from './bridge.ts';
import { startChild, type Child } from './child.ts';
import type { Message } from './json-rpc.ts';
import { until, withLimit, type Scope } from './scope.ts';

export class RawClient {
  /** Complete lines from the bridge, in order, without their line ends. */
  readonly lines: string[] = [];
  readonly #child: Child;

  constructor(scope: Scope, url: string, options?: LaunchOptions) {
    this.#child = startChild(scope, bridgeCommand(scope, url, options));
    let rest = '';
    this.#child.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
  }

  get messages(): Message[] {
    return this.lines.map((line) => JSON.parse(line) as Message);
  }

  send(message: Message | string): void {
    this.#child.process.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  /** The reply to this id; fails with what the bridge said to people when none comes. */
  async reply(id: string | number): Promise<Message> {
    try {
      return await until(`a reply to ${id}`, () =>
        this.messages.find((message) => message.id === id && !message.method),
      );
    } catch (error) {
      throw new Error(`${String(error)}. The bridge said:\n${this.#child.stderr()}`, { cause: error });
    }
  }

  request(message: Message & { id: string | number }): Promise<Message> {
    this.send({ jsonrpc: '2.0', ...message });
    return this.reply(message.id);
  }

  /** The handshake, with this revision and no capabilities unless given. */
  async initialize(protocolVersion: string, capabilities: object = {}): Promise<Message> {
    const params = { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1.0.0' } };
    const reply = await this.request({ id: 'handshake', method: 'initialize', params });
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return reply;
  }

  /** Closes stdin, as a client that leaves does; gives the exit code. */
  end(): Promise<number | null> {
    this.#child.process.stdin.end();
    return withLimit(this.#child.exited, 5_000, 'the bridge to exit after the end of stdin');
  }
}
