// One client through several lives of its bridge: sends the traffic, and looks at each line that comes back the moment it
// comes.
import { readdirSync, readFileSync } from 'node:fs';
import { afterFairMs } from '../support/fair-time.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { idTextOf, type RpcMessage } from '../support/scripted/messages.ts';
import { tell, type Asked, type Ledger } from './ledger.ts';
import { pause } from './pause.ts';
import type { Random } from './random.ts';
import { Traffic, type Operation } from './traffic.ts';

/** What the bridges are told about time, in milliseconds. */
const LIMITS = { callMs: 9000, initializeMs: 5000 } as const;
/** A busy machine is late by itself, in milliseconds. */
const SLACK_MS = 2500;
/** Longest time that a bridge may take to read a line, on a machine that has much else to do, in milliseconds. */
const READ_MS = 15_000;
const MAX_OPEN = 40;
const LOOK_EVERY_MS = 100;
const EXIT_MS = 2000 + SLACK_MS;
/** A front looks so long for a daemon before it bridges by itself, in milliseconds. */
const FIND_MS = 5000;

interface Life {
  readonly bridge: BridgeProcess;
  readonly number: number;
  readonly open: Map<string, Asked>;
  /** Requests that have ended, by id; for what comes too late. */
  readonly ended: Map<string, Asked>;
  /** Pings that were sent right behind a request: once one is answered, the bridge has read the request. */
  readonly proofs: Map<string, Asked>;
  /** Pings that were sent behind a cancellation: once one is answered, nothing may come for the cancelled request. */
  readonly barriers: Map<string, Asked>;
  readonly withdrawn: Map<string, Asked>;
  initialized: PromiseWithResolvers<boolean>;
  isOver: boolean;
}

export interface ClientOptions {
  readonly name: string;
  readonly url: string;
  readonly home: string;
  readonly throughDaemon: boolean;
  readonly random: Random;
  readonly ledger: Ledger;
}

export interface Usage {
  /** Resident, in bytes. */
  readonly memory: number;
  /** Open ones. */
  readonly files: number;
}

/** Undefined where the system does not tell. */
export function usageOf(pid: number): Usage | undefined {
  if (process.platform !== 'linux') return undefined;
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { memory: Number(kib) * 1024, files: readdirSync(`/proc/${pid}/fd`).length };
}

export class ChaosClient {
  readonly name: string;
  lives = 0;
  readonly #options: ClientOptions;
  readonly #traffic: Traffic;
  readonly #pace: Random;
  #life: Life | undefined;
  #relaunching: Promise<void> | undefined;
  readonly #waiting = new Map<Asked, () => void>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.name = options.name;
    this.#traffic = new Traffic(options.name, options.random.fork('traffic'));
    this.#pace = options.random.fork('pace');
  }

  get isUp(): boolean {
    return this.#life !== undefined && !this.#life.isOver;
  }

  get openCount(): number {
    return this.#life?.open.size ?? 0;
  }

  get stderr(): string {
    return this.#life?.bridge.stderr ?? '';
  }

  /** Whether it is a front that has found no daemon in time, as happens on a machine that has far too much to do. */
  get bridgesAlone(): boolean {
    return this.#options.throughDaemon && this.stderr.includes('bridging in this process');
  }

  /** The changes of route that a bridge of its own has told of. */
  get routes(): string[] {
    return [...this.stderr.matchAll(/session\.route (session|per-request)/g)].map(([, route]) => route!);
  }

  /** Launches the bridge and shakes hands. */
  async launch(): Promise<void> {
    const { url, home, throughDaemon, ledger } = this.#options;
    const args = [
      ['--tool-timeout-ms', LIMITS.callMs],
      ['--tool-timeout-max-ms', LIMITS.callMs],
      ['--request-timeout-ms', LIMITS.callMs],
      ['--initialize-timeout-ms', LIMITS.initializeMs],
      ['--health-interval-ms', 2000],
    ]
      .flat()
      .map(String);
    const bridge = await BridgeProcess.launch(url, {
      args,
      home,
      env: { MCP_BRIDGE_DAEMON: throughDaemon ? 'on' : 'off' },
    });
    this.lives += 1;
    const life: Life = {
      bridge,
      number: this.lives,
      open: new Map(),
      ended: new Map(),
      proofs: new Map(),
      barriers: new Map(),
      withdrawn: new Map(),
      initialized: Promise.withResolvers(),
      isOver: false,
    };
    this.#life = life;
    bridge.until(() => this.#drain(life), 3_600_000).catch(() => this.#onExit(life));
    bridge.send({
      jsonrpc: '2.0',
      id: 'initialize',
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: this.name, version: '1.0.0' },
      },
    });
    const limitMs = LIMITS.initializeMs + SLACK_MS + (throughDaemon ? FIND_MS : 0);
    const late = Promise.withResolvers<'late'>();
    const stopWaiting = afterFairMs(limitMs, () => late.resolve('late'));
    const outcome = await Promise.race([life.initialized.promise, late.promise]);
    stopWaiting();
    if (outcome === 'late') ledger.violation(`${this.name}: initialize was not answered in time`);
    bridge.notify('notifications/initialized');
    this.ask(this.#traffic.next('tools/list'));
  }

  /** Sends requests at random times until `signal` aborts. */
  async talk(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#pace.int(10, 150), signal);
      if (this.openCount < MAX_OPEN) this.ask(this.#traffic.next());
    }
  }

  /** Sends one request of this kind and waits for its end. */
  async askAndWait(kind: string): Promise<Asked | undefined> {
    const asked = this.ask(this.#traffic.next(kind));
    if (asked === undefined) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(asked, resolve);
    await promise;
    return asked;
  }

  ask(operation: Operation): Asked | undefined {
    const life = this.#life;
    if (life === undefined || life.isOver) return undefined;
    const { id, method, params, cancelAfterMs } = operation;
    const asked = this.#options.ledger.open(this.name, operation);
    life.open.set(idTextOf(id), asked);
    life.bridge.send({ jsonrpc: '2.0', id, method, params });
    // On a busy machine a bridge may be late with reading; its time begins when it has read.
    const proof = `proof ${operation.nonce}`;
    life.proofs.set(idTextOf(proof), asked);
    life.bridge.send({ jsonrpc: '2.0', id: proof, method: 'ping' });
    if (cancelAfterMs !== undefined) void this.#cancel(life, asked, cancelAfterMs);
    return asked;
  }

  /** Calls out what has waited too long. Runs until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { ledger } = this.#options;
    while (!signal.aborted) {
      await pause(LOOK_EVERY_MS, signal);
      for (const [key, asked] of this.#life?.open ?? []) {
        const from = Math.min(asked.readAt, asked.at + READ_MS);
        if (ledger.now() < from || ledger.fairlySince(from) < LIMITS.callMs + SLACK_MS) continue;
        this.#life?.open.delete(key);
        this.#end(asked, { kind: 'hung' });
        ledger.violation(`no reply by its deadline: ${tell(asked)}`);
      }
    }
  }

  /** Ends the bridge in this way, and launches another after so many milliseconds. */
  relaunch(how: 'SIGKILL' | 'SIGTERM' | 'stdin', afterMs: number): Promise<void> {
    this.#relaunching ??= (async () => {
      await this.end(how);
      await pause(afterMs);
      await this.launch();
    })().finally(() => {
      this.#relaunching = undefined;
    });
    return this.#relaunching;
  }

  /** Resolves once a relaunch that is under way is done. */
  async settled(): Promise<void> {
    await this.#relaunching;
  }

  async end(how: 'SIGKILL' | 'SIGTERM' | 'stdin'): Promise<void> {
    const life = this.#life;
    if (life === undefined || life.isOver) return;
    life.isOver = true;
    this.#options.ledger.note(`${this.name}: ${how} with ${life.open.size} open`);
    for (const asked of [...life.open.values(), ...life.withdrawn.values()])
      this.#end(asked, { kind: 'orphaned' });
    life.open.clear();
    life.withdrawn.clear();
    try {
      const { code, tookMs } = await (how === 'stdin'
        ? life.bridge.close(EXIT_MS)
        : life.bridge.kill(how, EXIT_MS));
      if (how !== 'SIGKILL' && code !== 0)
        this.#options.ledger.violation(`${this.name}: exit code ${code} after ${how}, ${tookMs} ms`);
    } catch {
      this.#options.ledger.violation(`${this.name}: still running ${EXIT_MS} ms after ${how}`);
    }
    await life.bridge[Symbol.asyncDispose]();
  }

  usage(): Usage | undefined {
    return this.isUp ? usageOf(this.#life!.bridge.pid) : undefined;
  }

  async #cancel(life: Life, asked: Asked, afterMs: number): Promise<void> {
    await pause(afterMs);
    const key = idTextOf(asked.operation.id);
    if (life.isOver || life.open.get(key) !== asked) return;
    life.bridge.notify('notifications/cancelled', { requestId: asked.operation.id, reason: 'chaos' });
    // Its answer may have been on its way; behind the answer to this ping, which is in order, nothing may come.
    const ping = `behind ${asked.operation.nonce}`;
    life.open.delete(key);
    life.withdrawn.set(key, asked);
    life.barriers.set(idTextOf(ping), asked);
    life.bridge.send({ jsonrpc: '2.0', id: ping, method: 'ping' });
  }

  /** Looks at everything that has come; true when no more will. */
  #drain(life: Life): boolean {
    const { ledger } = this.#options;
    const { bridge } = life;
    for (const line of bridge.strayLines.splice(0))
      ledger.violation(`${this.name}: no JSON message on stdout: ${line.subarray(0, 200).toString()}`);
    bridge.lines.length = 0;
    for (const message of bridge.messages.splice(0)) {
      if ((message as { jsonrpc?: unknown }).jsonrpc !== '2.0')
        ledger.violation(`${this.name}: no JSON-RPC 2.0: ${JSON.stringify(message).slice(0, 200)}`);
      if (message.method !== undefined) this.#onNotification(life, message);
      else this.#onReply(life, message);
    }
    return bridge.hasExited && this.#onExit(life);
  }

  #onReply(life: Life, message: RpcMessage): void {
    const { ledger } = this.#options;
    const key = idTextOf(message.id);
    if (key === '"initialize"') return life.initialized.resolve(message.result !== undefined);
    const proven = life.proofs.get(key);
    if (proven !== undefined) {
      life.proofs.delete(key);
      proven.readAt = ledger.now();
      return;
    }
    const barrier = life.barriers.get(key);
    if (barrier !== undefined) {
      life.barriers.delete(key);
      const cancelled = idTextOf(barrier.operation.id);
      if (life.withdrawn.delete(cancelled)) {
        this.#end(barrier, { kind: 'cancelled' });
        life.ended.set(cancelled, barrier);
      }
      return;
    }
    const asked = life.open.get(key) ?? life.withdrawn.get(key);
    if (asked === undefined) {
      if (life.isOver) return;
      const earlier = life.ended.get(key);
      ledger.violation(
        earlier === undefined
          ? `${this.name}: a reply to nothing: ${JSON.stringify(message).slice(0, 200)}`
          : `a reply after the end: ${tell(earlier)}: ${JSON.stringify(message).slice(0, 200)}`,
      );
      return;
    }
    life.open.delete(key);
    life.withdrawn.delete(key);
    life.ended.set(key, asked);
    if (message.error === undefined) {
      this.#end(asked, { kind: 'result' });
      const wrong = asked.operation.check(message.result);
      if (wrong !== undefined)
        ledger.violation(`mixed up: ${tell(asked)}: ${wrong}, got ${JSON.stringify(message).slice(0, 200)}`);
      return;
    }
    const { code } = (message.error.data ?? {}) as { code?: string };
    this.#end(asked, { kind: 'error', code: code ?? `rpc ${message.error.code}` });
  }

  #onNotification(life: Life, message: RpcMessage): void {
    if (message.method !== 'notifications/progress') return;
    const { progressToken, message: nonce } = message.params ?? {};
    const open = [...life.open.values(), ...life.withdrawn.values()];
    const asked = open.find(({ operation }) => operation.token === progressToken);
    if (life.isOver) return;
    if (asked === undefined)
      this.#options.ledger.violation(`${this.name}: progress of nothing: ${JSON.stringify(message.params)}`);
    else if (asked.operation.nonce !== nonce)
      this.#options.ledger.violation(`progress mixed up: ${tell(asked)}: ${JSON.stringify(message.params)}`);
  }

  #onExit(life: Life): true {
    if (!life.isOver) {
      life.isOver = true;
      this.#options.ledger.violation(
        `${this.name}: the bridge exited by itself: ${life.bridge.stderr.slice(-1000)}`,
      );
    }
    life.initialized.resolve(false);
    return true;
  }

  #end(asked: Asked, ending: Asked['ending']): void {
    this.#options.ledger.end(asked, ending);
    this.#waiting.get(asked)?.();
    this.#waiting.delete(asked);
  }
}
