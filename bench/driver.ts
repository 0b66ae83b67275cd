// One bridge as a client sees it: a child process, JSON-RPC lines on its pipes, and a clock. Kept lean, because what it
// costs is part of every figure: lines are built once, written as they are, and parsed after the clock has stopped.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface FloodResult {
  readonly calls: number;
  readonly elapsedMs: number;
}

/** Longer replies are matched by the first and last bytes of their text: parsing a megabyte would delay the next call. */
const parsedWholeBytes = 16_384;
/** Where serialisers put the id: at the front or at the very end. */
const edgeBytes = 256;
const keptErrorBytes = 4_096;
const graceMs = 400;

const initializeLine = Buffer.from(
  `${JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'mcp-bridge-bench', version: '1.0.0' },
    },
  })}\n`,
);
const initializedLine = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');

export function callLine(id: number, tool: string, argumentsText: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":${argumentsText}}}\n`;
}

export function echoLine(id: number): string {
  return callLine(id, 'echo', '{"text":"hello, bridge"}');
}

/** The id that a reply answers, or undefined for a message that is no reply. Throws when the reply is an error. */
export function idAnsweredBy(line: Buffer): number | undefined {
  if (line.length <= parsedWholeBytes) {
    const message = JSON.parse(line.toString()) as { id?: number; error?: unknown; method?: string };
    if (message.error !== undefined) throw new Error(`It answered with an error: ${line.toString()}`);
    return message.method === undefined ? message.id : undefined;
  }
  const head = line.toString('latin1', 0, edgeBytes);
  const tail = line.toString('latin1', line.length - edgeBytes);
  const found = /"id":\s*(\d+)\s*[,}]/.exec(head) ?? /"id":\s*(\d+)\s*\}?\s*$/.exec(tail);
  return found === null ? undefined : Number(found[1]);
}

export class BridgeProcess {
  readonly pid: number;
  /** From just before the process was created to its answer to `initialize`. */
  launchMs = Number.NaN;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  #partial: Buffer[] = [];
  #errors = '';
  #nextId = 1;
  #onLine: (line: Buffer, at: number) => void = () => {};
  #onFailure: (error: Error) => void = () => {};
  #failure: Error | undefined;

  private constructor(command: Command, signal: AbortSignal) {
    this.#child = spawn(command.file, command.args, { env: command.env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? -1;
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.once('error', () => this.#child.pid === undefined && resolve(undefined));
    });
    this.#child.on('error', (error) => this.#fail(error.message));
    this.#child.on('exit', (code, by) => this.#fail(`It exited (${by ?? code}).`));
    this.#child.stdin.on('error', () => {}); // the exit says it
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-keptErrorBytes);
    });
    signal.addEventListener('abort', () => this.#fail('It took too long.'), { once: true });
  }

  /** Starts the process and performs the handshake. The process is ended when that fails. */
  static async launch(command: Command, signal: AbortSignal): Promise<BridgeProcess> {
    const startedAt = performance.now();
    const bridge = new BridgeProcess(command, signal);
    try {
      const answeredAt = await bridge.#exchange(initializeLine, 0);
      bridge.launchMs = answeredAt - startedAt;
      bridge.#child.stdin.write(initializedLine);
      return bridge;
    } catch (error) {
      await bridge.close();
      throw error;
    }
  }

  /** Calls one after the other; the time of each in milliseconds. */
  async callInTurn(count: number, lineOf: (id: number) => string): Promise<number[]> {
    const times: number[] = [];
    for (let call = 0; call < count; call += 1) {
      const id = this.#nextId++;
      const line = Buffer.from(lineOf(id));
      const startedAt = performance.now();
      times.push((await this.#exchange(line, id)) - startedAt);
    }
    return times;
  }

  /** Keeps `inFlight` echo calls going until either bound is met, then waits for the last. Each is answered once. */
  async flood(inFlight: number, { maxCalls = Infinity, maxMs = Infinity }): Promise<FloodResult> {
    const startedAt = performance.now();
    const waiting = new Set<number>();
    let sent = 0;
    const nextLine = (): string => {
      sent += 1;
      waiting.add(this.#nextId);
      return echoLine(this.#nextId++);
    };
    return await new Promise<FloodResult>((resolve, reject) => {
      this.#onFailure = reject;
      let batch = '';
      this.#onLine = (line, at) => {
        const id = idAnsweredBy(line);
        if (id === undefined) return;
        if (!waiting.delete(id)) throw new Error(`It answered ${id}, which nobody waits for.`);
        if (sent < maxCalls && at - startedAt < maxMs) {
          // What one read brought is answered with one write.
          if (batch === '') {
            queueMicrotask(() => {
              this.#child.stdin.write(batch);
              batch = '';
            });
          }
          batch += nextLine();
        } else if (waiting.size === 0) {
          this.#onLine = () => {};
          resolve({ calls: sent, elapsedMs: at - startedAt });
        }
      };
      if (this.#failure !== undefined) reject(this.#failure);
      let first = '';
      while (sent < Math.min(inFlight, maxCalls)) first += nextLine();
      this.#child.stdin.write(first);
    });
  }

  /** Ends stdin as a client does; whoever is still there after a moment is ended by signal. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timers = [
      setTimeout(() => this.#child.kill('SIGTERM'), graceMs),
      setTimeout(() => this.#child.kill('SIGKILL'), 2 * graceMs),
    ];
    await this.#exited;
    timers.forEach(clearTimeout);
  }

  /** Writes one line and resolves with the moment at which its answer had been read. */
  async #exchange(line: Buffer, id: number): Promise<number> {
    return await new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      this.#onFailure = reject;
      this.#onLine = (answer, at) => {
        if (idAnsweredBy(answer) === id) resolve(at);
      };
      this.#child.stdin.write(line);
    });
  }

  #receive(chunk: Buffer): void {
    const at = performance.now();
    let start = 0;
    try {
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const rest = chunk.subarray(start, end);
        const line = this.#partial.length === 0 ? rest : Buffer.concat([...this.#partial, rest]);
        this.#partial = [];
        start = end + 1;
        this.#onLine(line, at);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    if (start < chunk.length) this.#partial.push(chunk.subarray(start));
  }

  #fail(message: string): void {
    const lines = this.#errors.split('\n').filter((line) => line.trim() !== '');
    const said = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
    this.#failure ??= new Error(said === undefined ? message : `${message} It said: ${said.trim()}`);
    this.#onFailure(this.#failure);
  }
}
