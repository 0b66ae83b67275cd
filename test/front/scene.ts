// A relay between a client and daemons that come and go, without a process or a socket.
import { duplexPair, PassThrough } from 'node:stream';
import type { Opened, Refused } from '../../src/front/link.ts';
import { Relay } from '../../src/front/relay.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

const TIME_LIMITS = { requestTimeoutMs: 20_000, toolTimeoutMs: 30_000, toolTimeoutMaxMs: 60_000 };

export interface Daemon {
  /** All lines that it was given, and those that are no words of the front's. */
  readonly heard: string[];
  readonly got: string[];
  say(...lines: string[]): void;
  /** Without a line end. */
  mutter(bytes: string): void;
  die(): void;
  /** Nothing more comes from the front. */
  readonly isLeft: boolean;
}

export class Scene {
  readonly clock = new FakeClock();
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly told: string[] = [];
  readonly daemons: Daemon[] = [];
  exitCode: number | undefined;
  #arrivals: ((opened: Opened | Refused) => void)[] = [];

  constructor() {
    collect(this.output, this.told);
    const relay = new Relay({
      input: this.input,
      output: this.output,
      clock: this.clock,
      rng: () => 0.5,
      open: () => new Promise((resolve) => this.#arrivals.push(resolve)),
    });
    void relay.run().then((code) => (this.exitCode = code));
  }

  get isLooking(): boolean {
    return this.#arrivals.length > 0;
  }

  /** A daemon turns up. */
  async daemon(maxLineBytes = 1000): Promise<Daemon> {
    const [near, far] = duplexPair();
    const heard: string[] = [];
    collect(far, heard);
    const daemon: Daemon = {
      heard,
      get got() {
        return heard.filter((line) => !line.startsWith('#'));
      },
      say: (...lines) => far.write(lines.map((each) => `${each}\n`).join('')),
      mutter: (bytes) => far.write(bytes),
      die: () => near.destroy(),
      get isLeft() {
        return far.readableEnded;
      },
    };
    this.daemons.push(daemon);
    this.#arrivals.shift()?.({ stream: near, maxLineBytes, timeLimits: TIME_LIMITS });
    await this.pass();
    return daemon;
  }

  /** There is no daemon: a bridge in this process, which answers every request at once, while it is written to. */
  async inProcess(): Promise<void> {
    const [near, far] = duplexPair();
    far.on('data', (chunk: Buffer) => {
      for (const line of String(chunk).trim().split('\n')) {
        const { id } = JSON.parse(line) as { id?: number };
        if (id !== undefined) far.write(`${result(id)}\n`);
      }
    });
    const opened = { stream: near, maxLineBytes: 1000, timeLimits: TIME_LIMITS, isInProcess: true };
    this.#arrivals.shift()?.(opened);
    await this.pass();
  }

  /** What the client launched turns out to be of no use. */
  async refuse(): Promise<void> {
    this.#arrivals.shift()?.({
      failure: { code: 'ERR_CONFIG_INVALID', message: 'There is no profile "x".' },
      exitCode: 2,
    });
    await this.pass();
  }

  /** What it was told as replies to this id. */
  repliesTo(id: number): { result?: object; error?: { data: { code: string } } }[] {
    return this.told.flatMap((text) => JSON.parse(text)).filter((message) => message.id === id);
  }

  async client(...lines: string[]): Promise<void> {
    this.input.write(lines.map((each) => `${each}\n`).join(''));
    await this.pass();
  }

  async pass(): Promise<void> {
    for (let n = 0; n < 5; n += 1) await settle();
  }

  /** Past every wait for another try. */
  async wait(): Promise<void> {
    await this.clock.advance(5000);
    await this.pass();
  }
}

function collect(stream: NodeJS.ReadableStream, lines: string[]): void {
  let rest = '';
  stream.on('data', (chunk) => {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
}

export const request = (id: number, method: string, params?: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, ...(params && { params }) });
export const result = (id: number | string, value: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: value });
export const NOT_JSON =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x","data":{"code":"ERR_CLIENT_NOT_JSON"}}}';
export const INITIALIZE = request(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {} });
export const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** A client that has been introduced, and the daemon that it has. */
export async function useServed(): Promise<{ readonly scene: Scene; readonly daemon: Daemon }> {
  const scene = new Scene();
  const daemon = await scene.daemon();
  await scene.client(INITIALIZE);
  daemon.say(result(1));
  await scene.client(INITIALIZED);
  return { scene, daemon };
}
