// What is done with one candidate in one round, and in which order. Launch is measured cold; everything else after the
// process has warmed up, because a client's session lasts for hours.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BridgeProcess, callLine, echoLine, type Command } from './driver.ts';
import { cpuMs, residentMb } from './process-usage.ts';
import { median, percentile } from './statistics.ts';

/** One candidate in one round. NaN never appears: a figure that could not be had is absent. */
export interface Figures {
  readonly launchMs: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly callsPerS?: number;
  /** CPU time of the bridge alone, at full load: unlike the others it hardly depends on what else the machine does. */
  readonly cpuUs?: number | undefined;
  readonly downMs?: number;
  readonly upMs?: number;
  readonly idleMb?: number | undefined;
  readonly afterMb?: number | undefined;
}

/** How much of each is done. Numbers of calls, except where the name says otherwise. */
export interface Plan {
  readonly launches: number;
  readonly warmCalls: number;
  readonly calls: number;
  readonly warmFloodMs: number;
  readonly floodMs: number;
  readonly warmPayloads: number;
  readonly payloads: number;
}

export const fullPlan: Plan = {
  launches: 5,
  warmCalls: 1_500,
  calls: 2_000,
  warmFloodMs: 500,
  floodMs: 1_500,
  warmPayloads: 15,
  payloads: 30,
};
export const quickPlan: Plan = {
  launches: 2,
  warmCalls: 500,
  calls: 600,
  warmFloodMs: 300,
  floodMs: 500,
  warmPayloads: 5,
  payloads: 10,
};

export const inFlight = 32;
const payloadBytes = 1_048_576;
const settleMs = 300;
/** One candidate in one round: the slowest needs about 10 s. */
const roundLimitMs = 60_000;

const upText = JSON.stringify(
  'It is "quoted" here, and a line of a document ends there.\n'.repeat(20_000).slice(0, payloadBytes),
);

export async function measureBridge(command: Command, plan: Plan): Promise<Figures> {
  const signal = AbortSignal.timeout(roundLimitMs);
  const launches: number[] = [];
  for (let launch = 1; launch < plan.launches; launch += 1) {
    const probe = await BridgeProcess.launch(command, signal);
    launches.push(probe.launchMs);
    await probe.close();
  }
  const bridge = await BridgeProcess.launch(command, signal);
  try {
    launches.push(bridge.launchMs);
    await sleep(settleMs);
    const idleMb = residentMb(bridge.pid);

    await bridge.callInTurn(plan.warmCalls, echoLine);
    const latencies = await bridge.callInTurn(plan.calls, echoLine);

    await bridge.flood(inFlight, { maxMs: plan.warmFloodMs });
    const cpuBefore = cpuMs(bridge.pid);
    const flood = await bridge.flood(inFlight, { maxMs: plan.floodMs });
    const cpuAfter = cpuMs(bridge.pid);

    const downLine = (id: number): string => callLine(id, 'blob', `{"bytes":${payloadBytes}}`);
    await bridge.callInTurn(plan.warmPayloads, downLine);
    const down = await bridge.callInTurn(plan.payloads, downLine);

    const upLine = (id: number): string => callLine(id, 'sink', `{"text":${upText}}`);
    await bridge.callInTurn(plan.warmPayloads, upLine);
    const up = await bridge.callInTurn(plan.payloads, upLine);

    return {
      launchMs: median(launches),
      p50Ms: median(latencies),
      p99Ms: percentile(latencies, 0.99),
      callsPerS: (flood.calls / flood.elapsedMs) * 1000,
      cpuUs:
        cpuBefore === undefined || cpuAfter === undefined
          ? undefined
          : ((cpuAfter - cpuBefore) / flood.calls) * 1000,
      downMs: median(down),
      upMs: median(up),
      idleMb,
      afterMb: residentMb(bridge.pid),
    };
  } finally {
    await bridge.close();
  }
}

/** Node.js doing nothing: how long it takes to come and go, and what it weighs while it stays. */
export async function measureBare(command: Command, plan: Plan): Promise<Figures> {
  const launches: number[] = [];
  for (let launch = 0; launch < plan.launches; launch += 1) {
    const startedAt = performance.now();
    const child = spawn(command.file, command.args, { env: command.env, stdio: 'pipe' });
    await once(child, 'exit');
    launches.push(performance.now() - startedAt);
  }
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

/** How much memory many calls leave behind (PF3), or undefined where memory cannot be read. */
export async function measureGrowth(command: Command, calls: number): Promise<Growth | undefined> {
  const bridge = await BridgeProcess.launch(command, AbortSignal.timeout(roundLimitMs));
  const residentAfter = async (some: number): Promise<number | undefined> => {
    if (some > 0) await bridge.flood(inFlight, { maxCalls: some });
    await sleep(settleMs);
    return residentMb(bridge.pid);
  };
  try {
    const warmCalls = calls / 4;
    const idleMb = await residentAfter(0);
    const warmMb = await residentAfter(warmCalls);
    const afterMb = await residentAfter(calls - warmCalls);
    if (idleMb === undefined || warmMb === undefined || afterMb === undefined) return undefined;
    return { calls, idleMb, warmCalls, warmMb, afterMb };
  } finally {
    await bridge.close();
  }
}
