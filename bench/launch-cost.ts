// PF1: from launch to the answer to `initialize`, beside Node.js that does nothing. Each launch is compared with a bare one
// right beside it, because what else the machine does changes from one second to the next.
import { BridgeProcess, type Command } from './driver.ts';
import type { BenchDaemon } from './daemon.ts';
import { timeBare } from './measure.ts';

export interface LaunchCost {
  readonly bareMs: readonly number[];
  /** The daemon runs and has its session. */
  readonly warm: readonly Launch[];
  /** The daemon has to be started; what the service said last time is known. */
  readonly cold: readonly Launch[];
}

export interface Launch {
  readonly ms: number;
  readonly bareMs: number;
}

export interface LaunchPlan {
  readonly warm: number;
  readonly cold: number;
}

export const fullLaunches: LaunchPlan = { warm: 60, cold: 15 };
export const quickLaunches: LaunchPlan = { warm: 15, cold: 4 };
const limitMs = 60_000;

export async function measureLaunchCost(
  bare: Command,
  bridge: Command,
  daemon: BenchDaemon,
  plan: LaunchPlan,
): Promise<LaunchCost> {
  const signal = AbortSignal.timeout(limitMs);
  const bareMs: number[] = [];
  const launch = async (): Promise<Launch> => {
    const beside = await timeBare(bare);
    bareMs.push(beside);
    const process = await BridgeProcess.launch(bridge, signal);
    await process.close();
    return { ms: process.launchMs, bareMs: beside };
  };
  try {
    await launch(); // makes the service known, and fills the file cache
    const cold: Launch[] = [];
    for (let n = 0; n < plan.cold; n += 1) {
      await daemon.stop();
      cold.push(await launch());
    }
    const warm: Launch[] = [];
    for (let n = 0; n < plan.warm; n += 1) warm.push(await launch());
    return { bareMs, warm, cold };
  } finally {
    await daemon.stop();
  }
}
