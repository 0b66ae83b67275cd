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
    await this.client.connect(this.#transport);
  }

  /** Ends its stdin, which is how a client says goodbye. The SDK sends SIGTERM when nothing happens for 2 s. */
  async close(): Promise<Exit> {
    // The SDK keeps the process to itself and forgets its exit code, which is what matters here.
    const child = Reflect.get(this.#transport, '_process') as ChildProcess | undefined;
    if (!child) throw new Error('the bridge has already ended');
    const startedAt = performance.now();
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    await this.client.close();
    await ended;
    return { code: child.exitCode, signal: child.signalCode, ms: performance.now() - startedAt };
  }

  kill(): void {
    const { pid } = this.#transport;
    if (pid !== null) killQuietly(pid);
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

  kill(): void {
    if (this.#child.pid !== undefined && this.#child.exitCode === null) this.#child.kill('SIGKILL');
  }
}

function keepLastLines(stream: Readable, lines: string[]): void {
  createInterface({ input: stream }).on('line', (line) => {
    lines.push(line);
    if (lines.length > stderrLines) lines.shift();
  });
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
