// The real program as a client launches it: bytes in, lines out, exit code. It has no opinion of MCP, so that a test can
// send what no client should.
//   const bridge = await BridgeProcess.launch(service.url, { args: ['--max-in-flight', '4'] });
//   const { result } = await bridge.initialize();
//   bridge.send({ jsonrpc: '2.0', id: 7, method: 'ping' });
//   await bridge.next((message) => message.id === 7);
//   const { code, tookMs } = await bridge.close();
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { bareEnv } from './bare-env.ts';
import {
  daemonLog,
  daemonsLeave,
  daemonsOf,
  isThroughDaemon,
  killDaemons,
  launchEnv,
  startDaemon,
} from './daemon-processes.ts';
import { idTextOf, parseKeepingNumbers, type JsonObject, type RpcMessage } from './scripted/messages.ts';
import { afterFairMs, fairMs } from './fair-time.ts';

const launcher = resolve(import.meta.dirname, '../../bin/mcp-bridge.js');

export interface LaunchOptions {
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** What is run instead of `mcp-bridge run`: an executable and its first arguments. */
  program?: readonly [string, ...string[]];
  /** A directory to live in, shared by several launches; without one, a fresh one that is removed at the end. */
  home?: string;
  /** Reads stdout only when told to (`resumeReading`), as a client does that hangs. */
  paused?: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the call that asked for the end to the end. */
  tookMs: number;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Home {
  readonly path: string;
  readonly own: boolean;
  /** Because this run of the tests launches so, not because the test asks for it. */
  readonly hasDaemon: boolean;
}

/** How many bridges live in each home. */
const living = new Map<string, number>();

export class BridgeProcess implements AsyncDisposable {
  /** Each line of stdout, byte for byte, without its end. */
  readonly lines: Buffer[] = [];
  /** Each line that was JSON, parsed; numbers keep their text. */
  readonly messages: RpcMessage[] = [];
  /** Lines that were no JSON object: there must never be one. */
  readonly strayLines: Buffer[] = [];
  stderr = '';
  /** Bytes after the last line end. */
  #rest: Buffer[] = [];
  #nextId = 1;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  readonly #child: Child;
  readonly #home: Home;
  readonly #watchers = new Set<() => void>();

  private constructor(child: Child, home: Home, paused: boolean) {
    this.#child = child;
    this.#home = home;
    living.set(home.path, (living.get(home.path) ?? 0) + 1);
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    if (paused) child.stdout.pause();
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // A bridge that has gone does not read any more; its exit says all.
    child.stdin.on('error', () => {});
    child.on('close', (code, signal) => {
      this.#exit = { code, signal };
      living.set(home.path, (living.get(home.path) ?? 1) - 1);
      this.#changed();
    });
  }

  /** Launches `mcp-bridge run <target> …` in a home of its own. */
  static async launch(target: string, options: LaunchOptions = {}): Promise<BridgeProcess> {
    const home = options.home ?? mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
    const [command, ...first] = options.program ?? [process.execPath, launcher, 'run'];
    const env: NodeJS.ProcessEnv = { ...bareEnv(), MCP_BRIDGE_HOME: home, ...launchEnv, ...options.env };
    const hasDaemon = isThroughDaemon && options.env?.['MCP_BRIDGE_DAEMON'] === undefined;
    // A front keeps options for Node.js to itself.
    if (hasDaemon && 'NODE_OPTIONS' in env) await startDaemon(home, env);
    const args = [...first, target, ...(options.args ?? [])];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    const place = { path: home, own: options.home === undefined, hasDaemon };
    const bridge = new BridgeProcess(child, place, options.paused ?? false);
    await new Promise((done, fail) => child.once('spawn', done).once('error', fail));
    return bridge;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The process that holds the session with the service: the daemon, where there is one. */
  get ownerPid(): number {
    return (this.#home.hasDaemon ? daemonsOf(this.#home.path)[0] : undefined) ?? this.pid;
  }

  /** What it has told of its course: on stderr, and in the log of its daemon. */
  get log(): string {
    return this.#home.hasDaemon ? `${this.stderr}${daemonLog(this.#home.path)}` : this.stderr;
  }

  /** It has gone, and all that it wrote has been read, also by a client that had paused. */
  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** The whole of stdout, byte for byte. */
  get stdout(): Buffer {
    const lineEnd = Buffer.from('\n');
    return Buffer.concat([...this.lines.flatMap((line) => [line, lineEnd]), ...this.#rest]);
  }

  // ── sending ───────────────────────────────────────────────────────────────

  /** Sends a message as one line; a text or bytes as they are, with a line end. */
  send(line: object | string | Buffer): void {
    if (Buffer.isBuffer(line)) this.write(Buffer.concat([line, Buffer.from('\n')]));
    else this.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** Bytes without a line end. Returns false while the bridge is behind with reading. */
  write(bytes: Buffer | string): boolean {
    return this.#child.stdin.write(bytes);
  }

  /** Resolves when the bridge has taken all that was written, or has exited. */
  async written(): Promise<void> {
    const { stdin } = this.#child;
    if (stdin.writableLength === 0 || this.hasExited) return;
    await new Promise<void>((resolve) => {
      // Not 'drain', which comes only where the stream was full.
      stdin.write('', () => resolve());
      stdin.once('close', resolve);
    });
  }

  notify(method: string, params?: object): void {
    this.send({ jsonrpc: '2.0', method, ...(params && { params }) });
  }

  /** Sends a request and waits for its reply, a result or an error. */
  async request(
    method: string,
    params: object = {},
    { id = this.freshId(), timeoutMs }: { id?: string | number; timeoutMs?: number } = {},
  ): Promise<RpcMessage> {
    this.send({ jsonrpc: '2.0', id, method, params });
    return this.reply(id, timeoutMs);
  }

  callTool(
    name: string,
    args: JsonObject = {},
    options: { id?: string | number; timeoutMs?: number } = {},
  ): Promise<RpcMessage> {
    return this.request('tools/call', { name, arguments: args }, options);
  }

  /** `initialize` and `notifications/initialized`. */
  async initialize(
    options: { protocolVersion?: string; capabilities?: object; clientName?: string } = {},
  ): Promise<RpcMessage> {
    const { protocolVersion = '2025-11-25', capabilities = {}, clientName = 'raw-client' } = options;
    const clientInfo = { name: clientName, version: '1.0.0' };
    const answer = await this.request('initialize', { protocolVersion, capabilities, clientInfo });
    this.notify('notifications/initialized');
    return answer;
  }

  /** An id that `request` has not used. */
  freshId(): number {
    return this.#nextId++;
  }

  // ── receiving ─────────────────────────────────────────────────────────────

  /** The first message of all so far, or of those to come, that fits. Fails when the bridge exits first. */
  async next(fits: (message: RpcMessage) => boolean, timeoutMs = 10_000): Promise<RpcMessage> {
    let found: RpcMessage | undefined;
    let seen = 0;
    await this.until(
      () => {
        while (found === undefined && seen < this.messages.length) {
          const message = this.messages[seen++]!;
          if (fits(message)) found = message;
        }
        return found !== undefined;
      },
      timeoutMs,
      String(fits),
    );
    return found!;
  }

  /** The reply to a request. */
  reply(id: unknown, timeoutMs?: number): Promise<RpcMessage> {
    const wanted = idTextOf(id);
    return this.next((message) => isReply(message) && idTextOf(message.id) === wanted, timeoutMs);
  }

  /** Every reply to this id. */
  repliesTo(id: unknown): RpcMessage[] {
    const wanted = idTextOf(id);
    return this.messages.filter((message) => isReply(message) && idTextOf(message.id) === wanted);
  }

  /** Resolves as soon as the condition holds; it is asked again whenever a line came or the bridge exited. */
  async until(condition: () => boolean, timeoutMs = 10_000, what = String(condition)): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (then: () => void): void => {
        callOff();
        this.#watchers.delete(check);
        then();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${why}: ${what}\n${this.#summary()}`)));
      const check = (): void => {
        if (condition()) settle(resolve);
        else if (this.hasExited) fail('The bridge exited');
      };
      const callOff = afterFairMs(timeoutMs, () => fail(`Not within ${timeoutMs} ms`));
      this.#watchers.add(check);
      check();
    });
  }

  pauseReading(): void {
    this.#child.stdout.pause();
  }

  resumeReading(): void {
    this.#child.stdout.resume();
  }

  /** Closes the client's end of stdout: what the bridge writes next fails with EPIPE. */
  closeStdout(): void {
    this.#child.stdout.destroy();
  }

  closeStderr(): void {
    this.#child.stderr.destroy();
  }

  /** Highest resident memory so far in bytes, of it or its daemon; undefined where the system does not tell. */
  peakMemory(): number | undefined {
    if (process.platform !== 'linux') return undefined;
    const peaks = [this.pid, this.ownerPid].map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    });
    return Math.max(...peaks);
  }

  // ── ending ────────────────────────────────────────────────────────────────

  /** Ends stdin, as a client does that is done, and waits for the exit. */
  close(timeoutMs?: number): Promise<Exit> {
    const exit = this.exit(timeoutMs);
    this.#child.stdin.end();
    return exit;
  }

  /** Sends a signal and waits for the exit. */
  kill(signal: NodeJS.Signals, timeoutMs?: number): Promise<Exit> {
    const exit = this.exit(timeoutMs);
    this.#child.kill(signal);
    return exit;
  }

  /** Waits for the exit, timed from this call, and then for the end of a daemon that nobody else needs. */
  async exit(timeoutMs = 10_000): Promise<Exit> {
    const from = performance.now();
    await this.until(() => this.hasExited, timeoutMs, 'exit');
    const tookMs = fairMs(from);
    const { path, hasDaemon } = this.#home;
    if (hasDaemon && living.get(path) === 0) await daemonsLeave(path);
    return { ...this.#exit!, tookMs };
  }

  /** Whatever state it is in: afterwards it is gone, and so is its home. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasExited) {
      this.#child.kill('SIGKILL');
      this.#child.stdout.destroy();
      await this.until(() => this.hasExited, 10_000, 'exit');
    }
    const { path, own, hasDaemon } = this.#home;
    if (hasDaemon && living.get(path) === 0) await killDaemons(path);
    if (own) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(from, end)]);
      this.#rest = [];
      from = end + 1;
      this.lines.push(line);
      this.#sort(line);
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
    this.#changed();
  }

  #sort(line: Buffer): void {
    let value: unknown;
    try {
      value = parseKeepingNumbers(line.toString('utf8'));
    } catch {
      value = undefined;
    }
    if (Array.isArray(value)) this.messages.push(...(value as RpcMessage[]));
    else if (typeof value === 'object' && value !== null) this.messages.push(value);
    else this.strayLines.push(line);
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }

  #summary(): string {
    const last = this.lines.slice(-10).map((line) => line.subarray(0, 300).toString());
    const { code, signal } = this.#exit ?? {};
    const state = this.#exit ? `exited with ${code ?? signal}` : 'running';
    return `The bridge: ${state}; last lines:\n${last.join('\n')}\nlog:\n${this.log.slice(-2000)}`;
  }
}

const isReply = (message: RpcMessage): boolean => message.method === undefined && message.id !== undefined;
