// What is done with one candidate in one round. Launch is measured cold; everything else after the process has warmed
// up, because a client's session lasts for hours. Measuring comes in short blocks, so that `rounds.ts` can let the
// candidates take turns: what else the machine does, and where its scheduler puts whom, then falls on all of them alike.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchDaemon } from './daemon.ts';
import { BridgeProcess, callLine, echoLine, type Command } from './driver.ts';
import { cpuMs, residentMb } from './process-usage.ts';
import { median, percentile } from './statistics.ts';

/** One candidate in one round. A figure that could not be had is absent. */
export interface Figures {
  readonly launchMs: number;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  readonly callsPerS?: number | undefined;
  /** CPU time of the bridge alone (its daemon included), at full load: unlike the others it hardly depends on what else the machine does. */
  readonly cpuUs?: number | undefined;
  readonly downMs?: number | undefined;
  readonly upMs?: number | undefined;
  readonly idleMb?: number | undefined;
  readonly afterMb?: number | undefined;
  /** The process in the background; what a client launches is the figures above. */
  readonly daemonIdleMb?: number | undefined;
  readonly daemonAfterMb?: number | undefined;
}

/** How much of each is done in one round; a block is what one candidate does before it is the next one's turn. */
export interface Plan {
  readonly launches: number;
  readonly warm: {
    readonly blocks: number;
    readonly calls: number;
    readonly floodMs: number;
    readonly payloads: number;
  };
  readonly latency: { readonly blocks: number; readonly calls: number };
  readonly flood: { readonly blocks: number; readonly ms: number };
  readonly payload: { readonly blocks: number; readonly calls: number };
}

export const fullPlan: Plan = {
  launches: 3,
  warm: { blocks: 5, calls: 300, floodMs: 160, payloads: 15 },
  latency: { blocks: 20, calls: 100 },
  flood: { blocks: 6, ms: 250 },
  payload: { blocks: 6, calls: 5 },
};
export const quickPlan: Plan = {
  launches: 2,
  warm: { blocks: 2, calls: 200, floodMs: 150, payloads: 6 },
  latency: { blocks: 8, calls: 75 },
  flood: { blocks: 3, ms: 200 },
  payload: { blocks: 4, calls: 3 },
};

export const inFlight = 32;
const payloadBytes = 1_048_576;
const settleMs = 300;
/** After the last of many calls, so that what a bridge gives back when it has come to rest counts as given back. */
const restMs = 11_000;
/** All candidates in one round: the full plan needs about 30 s. */
const roundLimitMs = 120_000;

const upText = JSON.stringify(
  'It is "quoted" here, and a line of a document ends there.\n'.repeat(20_000).slice(0, payloadBytes),
);
const upLine = (id: number): string => callLine(id, 'sink', `{"text":${upText}}`);
const downLine = (id: number): string => callLine(id, 'blob', `{"bytes":${payloadBytes}}`);

/** A bridge that is being measured, with what is known of it so far. */
export class Measurement {
  readonly #bridge: BridgeProcess;
  readonly #launches: number[];
  readonly #daemon: BenchDaemon | undefined;
  readonly #daemonPid: number | undefined;
  readonly #idleMb: number | undefined;
  readonly #daemonIdleMb: number | undefined;
  readonly #latencies: number[] = [];
  readonly #rates: number[] = [];
  readonly #down: number[] = [];
  readonly #up: number[] = [];
  #flooded = { calls: 0, cpuMs: 0 as number | undefined };

  private constructor(
    bridge: BridgeProcess,
    launches: number[],
    daemon: BenchDaemon | undefined,
    daemonPid: number | undefined,
  ) {
    this.#bridge = bridge;
    this.#launches = launches;
    this.#daemon = daemon;
    this.#daemonPid = daemonPid;
    this.#idleMb = residentMb(bridge.pid);
    this.#daemonIdleMb = daemonPid === undefined ? undefined : residentMb(daemonPid);
  }

  /** Launches it as often as the plan says; the last one stays. Where there is a daemon, it has been started before. */
  static async begin(command: Command, plan: Plan, daemon?: BenchDaemon): Promise<Measurement> {
    const signal = AbortSignal.timeout(roundLimitMs);
    const launches: number[] = [];
    if (daemon !== undefined) await (await BridgeProcess.launch(command, signal)).close();
    for (let launch = 1; launch < plan.launches; launch += 1) {
      const probe = await BridgeProcess.launch(command, signal);
      launches.push(probe.launchMs);
      await probe.close();
    }
    const bridge = await BridgeProcess.launch(command, signal);
    launches.push(bridge.launchMs);
    await sleep(settleMs);
    return new Measurement(bridge, launches, daemon, await daemon?.pid());
  }

  async warmUp({ warm }: Plan): Promise<void> {
    await this.#bridge.callInTurn(warm.calls, echoLine);
    await this.#bridge.flood(inFlight, { maxMs: warm.floodMs });
  }

  async warmUpPayloads({ warm }: Plan): Promise<void> {
    await this.#bridge.callInTurn(warm.payloads, downLine);
    await this.#bridge.callInTurn(warm.payloads, upLine);
  }

  async measureLatency({ latency }: Plan): Promise<void> {
    this.#latencies.push(...(await this.#bridge.callInTurn(latency.calls, echoLine)));
  }

  async measureFlood({ flood }: Plan): Promise<void> {
    const before = this.#cpuMs();
    const { calls, elapsedMs } = await this.#bridge.flood(inFlight, { maxMs: flood.ms });
    const after = this.#cpuMs();
    this.#rates.push((calls / elapsedMs) * 1000);
    const spentBefore = this.#flooded.cpuMs;
    const isKnown = before !== undefined && after !== undefined && spentBefore !== undefined;
    this.#flooded = {
      calls: this.#flooded.calls + calls,
      cpuMs: isKnown ? spentBefore + after - before : undefined,
    };
  }

  async measurePayloads({ payload }: Plan): Promise<void> {
    this.#down.push(...(await this.#bridge.callInTurn(payload.calls, downLine)));
    this.#up.push(...(await this.#bridge.callInTurn(payload.calls, upLine)));
  }

  figures(): Figures {
    const { calls, cpuMs: spentMs } = this.#flooded;
    return {
      launchMs: median(this.#launches),
      p50Ms: median(this.#latencies),
      p99Ms: percentile(this.#latencies, 0.99),
      callsPerS: median(this.#rates),
      cpuUs: spentMs === undefined ? undefined : (spentMs / calls) * 1000,
      downMs: median(this.#down),
      upMs: median(this.#up),
      idleMb: this.#idleMb,
      afterMb: residentMb(this.#bridge.pid),
      daemonIdleMb: this.#daemonIdleMb,
      daemonAfterMb: this.#daemonPid === undefined ? undefined : residentMb(this.#daemonPid),
    };
  }

  async close(): Promise<void> {
    await this.#bridge.close();
    await this.#daemon?.stop();
  }

  #cpuMs(): number | undefined {
    const own = cpuMs(this.#bridge.pid);
    const behind = this.#daemonPid === undefined ? 0 : cpuMs(this.#daemonPid);
    return own === undefined || behind === undefined ? undefined : own + behind;
  }
}

/** Milliseconds from launch to exit. */
export async function timeBare(command: Command): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(command.file, command.args, { env: command.env, stdio: 'pipe' });
  await once(child, 'exit');
  return performance.now() - startedAt;
}

/** Node.js doing nothing: how long it takes to come and go, and what it weighs while it stays. */
export async function measureBare(command: Command, plan: Plan): Promise<Figures> {
  const launches: number[] = [];
  for (let launch = 0; launch < plan.launches; launch += 1) launches.push(await timeBare(command));
  const waiting = spawn(command.file, ['-e', 'process.stdin.resume()'], { env: command.env, stdio: 'pipe' });
  try {
    await sleep(settleMs);
    return { launchMs: median(launches), idleMb: residentMb(waiting.pid ?? -1) };
  } finally {
    waiting.kill('SIGKILL');
  }
}

export interface Growth {
  readonly calls: number;
  readonly idleMb: number;
  /** After the first `warmCalls`: what comes later is not the heap's first growth. */
  readonly warmCalls: number;
  readonly warmMb: number;
  readonly afterMb: number;
}

/**
 * How much memory many calls leave behind (PF3), or undefined where memory cannot be read. Where there is a daemon, it is the
 * daemon's memory.
 */
export async function measureGrowth(
  command: Command,
  calls: number,
  daemon?: BenchDaemon,
): Promise<Growth | undefined> {
  const signal = AbortSignal.timeout(roundLimitMs);
  // A daemon is not the child of the bridge that is measured, so that the two are told apart.
  if (daemon !== undefined) await (await BridgeProcess.launch(command, signal)).close();
  const bridge = await BridgeProcess.launch(command, signal);
  try {
    const pid = daemon === undefined ? bridge.pid : ((await daemon.pid()) ?? -1);
    const residentAfter = async (some: number): Promise<number | undefined> => {
      if (some > 0) await bridge.flood(inFlight, { maxCalls: some });
      await sleep(some > 0 ? restMs : settleMs);
      return residentMb(pid);
    };
    const warmCalls = calls / 4;
    const idleMb = await residentAfter(0);
    const warmMb = await residentAfter(warmCalls);
    const afterMb = await residentAfter(calls - warmCalls);
    if (idleMb === undefined || warmMb === undefined || afterMb === undefined) return undefined;
    return { calls, idleMb, warmCalls, warmMb, afterMb };
  } finally {
    await bridge.close();
    await daemon?.stop();
  }
}
