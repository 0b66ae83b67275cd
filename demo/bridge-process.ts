// Launches the bridge as a client does, and watches how the process ends.
//
// Twice over: `BridgeClient` drives it with the SDK's stdio client; `RawBridge` writes whatever lines it is told to,
// which no well-behaved client would.
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

export interface BridgeCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the end of its stdin to its own end. */
  ms: number;
}

/** A message from the bridge, in the order of its stdout. Results are left out: they may be large. */
export type Heard = { atMs: number } & (
  | { type: 'answer'; id: RequestId | undefined }
  | { type: 'call'; method: string; params: Record<string, unknown> }
);

const stderrLines = 15;

export class BridgeClient {
  readonly client = new Client({ name: 'demo-client', version: '1.0.0' });
  /**
   * Everything that came, as it came. The SDK's own handlers are no witnesses of the order: when a notification and an
   * answer arrive in one chunk, it handles the answer first and drops the progress that belonged to it.
   */
  readonly heard: Heard[] = [];
  /** The last lines of the bridge's own log. */
  readonly log: string[] = [];
  readonly #transport: StdioClientTransport;
  #child: ChildProcess | undefined;

  constructor({ command, args, env }: BridgeCommand) {
    this.#transport = new StdioClientTransport({ command, args, env, stderr: 'pipe' });
    this.#transport.onmessage = (message) => {
      const atMs = performance.now();
      if ('method' in message)
        this.heard.push({ type: 'call', atMs, method: message.method, params: message.params ?? {} });
      else this.heard.push({ type: 'answer', atMs, id: message.id });
    };
    if (this.#transport.stderr) keepLastLines(this.#transport.stderr as Readable, this.log);
  }

  /** Starts the process; returns once `initialize` is answered. */
  async launch(): Promise<void> {
    const connected = this.client.connect(this.#transport);
    // The SDK keeps the process to itself and forgets its exit code, which matters here.
    this.#child = Reflect.get(this.#transport, '_process') as ChildProcess | undefined;
    await connected;
  }

  /** Ends its stdin, which is how a client says goodbye. The SDK sends SIGTERM when nothing happens for 2 s. */
  async close(): Promise<Exit> {
    const child = this.#child;
    if (!child) throw new Error('the bridge has not been launched');
    const startedAt = performance.now();
    await Promise.all([awaitExit(child), this.client.close()]);
    return { code: child.exitCode, signal: child.signalCode, ms: performance.now() - startedAt };
  }

  /** Returns once the process is gone: until then it may still write its files. */
  async kill(): Promise<void> {
    if (this.#child) await killAndWait(this.#child);
  }
}

export class RawBridge {
  /** What it wrote to stdout so far, line by line. */
  readonly lines: string[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;

  constructor({ command, args, env }: BridgeCommand) {
    this.#child = spawn(command, args, { env: { ...getDefaultEnvironment(), ...env } });
    this.#exited = once(this.#child, 'close').catch(() => undefined);
    this.#child.stdin.on('error', () => undefined); // Its end shows in the exit code.
    this.#child.stderr.resume();
    createInterface({ input: this.#child.stdout }).on('line', (line) => void this.lines.push(line));
  }

  write(...lines: string[]): void {
    this.#child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  }

  async close(): Promise<Exit> {
    const startedAt = performance.now();
    this.#child.stdin.end();
    await this.#exited;
    const { exitCode: code, signalCode: signal } = this.#child;
    return { code, signal, ms: performance.now() - startedAt };
  }

  async kill(): Promise<void> {
    await killAndWait(this.#child);
  }
}

function keepLastLines(stream: Readable, lines: string[]): void {
  createInterface({ input: stream }).on('line', (line) => {
    lines.push(line);
    if (lines.length > stderrLines) lines.shift();
  });
}

async function killAndWait(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await awaitExit(child);
}

async function awaitExit(child: ChildProcess): Promise<void> {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (isRunning) await once(child, 'exit');
}
