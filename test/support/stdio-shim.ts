// Serves a stdio MCP server over Streamable HTTP, so that a suite that speaks HTTP only can test it: one process a
// session, messages relayed as they are. It keeps no promise of its own but one: each message goes to the stream of the
// request that it belongs to. Ids and progress tokens are never rewritten, and their values mean nothing here.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  JSONRPCMessageSchema,
  ProgressNotificationSchema,
  type JSONRPCMessage,
  type ProgressToken,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { HttpHost, type HostedSession, type SdkTransport } from '../conformance/http-host.ts';

/** A stdio server to launch, as a client's configuration names it. */
export interface StdioCommand {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export interface StdioShim extends AsyncDisposable {
  readonly url: string;
  /** Processes launched so far: one a session. */
  readonly launched: number;
  /**
   * What a stdio server must never do: other output than messages, a message for a request that has its answer,
   * an end of its own accord, an end that is not clean, staying after its stdin ended.
   */
  readonly faults: readonly string[];
  /** Ends every session and waits for its process. */
  [Symbol.asyncDispose](): Promise<void>;
}

const exitWithinMs = 5_000;

export async function startStdioShim(command: StdioCommand): Promise<StdioShim> {
  const faults: string[] = [];
  const host = await HttpHost.listen(async (transport) => {
    const child = new Relay(command, transport, faults);
    await child.spawned;
    return child;
  });
  return {
    url: host.url,
    get launched() {
      return host.opened;
    },
    faults,
    [Symbol.asyncDispose]: () => host.close(),
  };
}

/** One process, and the session whose messages it gets. */
class Relay implements HostedSession {
  readonly spawned: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<string>;
  readonly #transport: SdkTransport;
  readonly #faults: string[];
  /** Requests from the client without an answer so far, oldest first. */
  readonly #open = new Map<RequestId, ProgressToken | undefined>();
  /** Settles when the messages so far are relayed: one after the other, so that they keep their order. */
  #relayed = Promise.resolve();
  #closing = false;
  /** How the process ended, once it has. */
  #gone: string | undefined;
  #stderr = '';

  constructor({ command, args, env }: StdioCommand, transport: SdkTransport, faults: string[]) {
    this.#transport = transport;
    this.#faults = faults;
    this.#child = spawn(command, args, { env: { ...getDefaultEnvironment(), ...env }, stdio: 'pipe' });
    this.spawned = new Promise((resolve, reject) => this.#child.once('spawn', resolve).once('error', reject));
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(signal ?? String(code)));
    });
    void this.#exited.then((how) => {
      this.#gone = how;
      if (!this.#closing) this.#blame(`ended by itself (${how}); its last words: ${this.#stderr}`);
      for (const id of this.#open.keys()) this.#fail(id);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-4_096);
    });
    // A process that is gone is reported by its exit.
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      this.#relayed = this.#relayed.then(() => this.#receive(line));
    });
    transport.onmessage = (message) => this.#send(message);
  }

  async close(): Promise<void> {
    if (this.#gone !== undefined) return;
    this.#closing = true;
    this.#child.stdin.end();
    const how = await Promise.race([this.#exited, sleep(exitWithinMs, 'stayed', { ref: false })]);
    if (how === '0') return;
    if (how === 'stayed') this.#child.kill('SIGKILL');
    this.#blame(
      `${how === 'stayed' ? 'stayed after its stdin ended' : `ended with ${how}`}: ${this.#stderr}`,
    );
    await this.#exited;
  }

  #send(message: JSONRPCMessage): void {
    if (isJSONRPCRequest(message)) {
      this.#open.set(message.id, message.params?._meta?.progressToken);
      if (this.#gone !== undefined) return this.#fail(message.id);
    }
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Answers in the place of a process that is gone, so that nobody waits for it. */
  #fail(id: RequestId): void {
    const error = { code: -32000, message: `The process behind the shim is gone (${this.#gone})` };
    this.#transport.send({ jsonrpc: '2.0', id, error }).catch((cause: unknown) => this.#blame(String(cause)));
  }

  async #receive(line: string): Promise<void> {
    try {
      const message = JSONRPCMessageSchema.parse(JSON.parse(line));
      const relatedRequestId = this.#relate(message);
      await this.#transport.send(message, relatedRequestId === undefined ? {} : { relatedRequestId });
    } catch (error) {
      this.#blame(`sent ${line.slice(0, 200)}: ${String(error)}`);
    }
  }

  /** The request whose stream a message belongs on; undefined: an answer, which finds its own, or the GET stream. */
  #relate(message: JSONRPCMessage): RequestId | undefined {
    if (!('method' in message)) {
      if (message.id === undefined || !this.#open.delete(message.id))
        throw new Error('No such request is open');
      return undefined;
    }
    const progress = ProgressNotificationSchema.safeParse(message);
    if (progress.success) {
      const { progressToken } = progress.data.params;
      const [id] = [...this.#open].find(([, token]) => token === progressToken) ?? [];
      if (id === undefined) throw new Error('No open request has this progress token');
      return id;
    }
    // stdio does not say to which request anything else belongs. What announces a change belongs to none; the rest
    // (log messages, sampling, elicitation) comes from a running request, and the suite runs one of those at a time.
    if (isJSONRPCNotification(message) && /list_changed$|updated$/.test(message.method)) return undefined;
    return [...this.#open.keys()].at(-1);
  }

  #blame(what: string): void {
    this.#faults.push(`pid ${this.#child.pid}: ${what}`);
  }
}
