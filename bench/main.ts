// `npm run bench`: every bridge side by side in one run, on this machine, against one service on loopback. Prints what
// it measured, each bound that the project has set itself and whether it holds, and on what all of this ran.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  bareName,
  bridgeName,
  bundleRelay,
  candidateNames,
  inProcessName,
  listCandidates,
  relayName,
  type Candidate,
} from './candidates.ts';
import { expensiveHandshakeMs, measureHandshakeCost, type HandshakeCost } from './handshake-cost.ts';
import { fullLaunches, measureLaunchCost, quickLaunches, type LaunchCost } from './launch-cost.ts';
import { fullPlan, inFlight, measureGrowth, quickPlan, type Growth } from './measure.ts';
import { growthCalls, judgeAll } from './ratios.ts';
import { pairsOf, rowsOf, runRounds, type Round } from './rounds.ts';
import { startServiceProcess } from './service-process.ts';
import type { ServiceOptions } from './service.ts';
import { figureLines, findingLines } from './table.ts';

const usage = `npm run bench -- [--quick] [--rounds N] [--only a,b] [--json FILE] [--assert]

  --quick       fewer calls and rounds: under 1 min instead of about 4 min
  --rounds N    how often each candidate runs (5, or 2 with --quick; fewer where a busy machine would take too long)
  --only a,b    some of: ${candidateNames.join(', ')}
  --json FILE   writes everything, each round included
  --assert      exits with 1 when a bound is missed or could not be measured`;

/** What the rounds may take where their number was not asked for: on a busy machine there are fewer. */
const budgetMs = { full: 130_000, quick: 25_000 };
/** JSON bodies instead of SSE streams is what fewer services do: fewer rounds, and only ours beside the relay. */
const jsonRounds = 2;

interface Options {
  readonly quick: boolean;
  readonly rounds: number;
  readonly budgetMs: number;
  readonly only: readonly string[];
  readonly json?: string | undefined;
  readonly assert: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', default: candidateNames.join(',') },
      json: { type: 'string' },
      assert: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1.');
  const only = values.only.split(',');
  const unknown = only.find((name) => !(candidateNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--only knows ${candidateNames.join(', ')}, not ${unknown}.`);
  const limitMs = values.quick ? budgetMs.quick : budgetMs.full;
  return { ...values, rounds, only, budgetMs: values.rounds === undefined ? limitMs : Infinity };
}

async function withService<T>(options: ServiceOptions, use: (url: string) => Promise<T>): Promise<T> {
  const service = await startServiceProcess(options);
  try {
    return await use(service.url);
  } finally {
    await service.close();
  }
}

/** What is asked of the bridge alone; what cannot be had of it is absent. */
interface Alone {
  launch?: LaunchCost;
  daemonGrowths: readonly Growth[];
  inProcessGrowths: readonly Growth[];
  handshake?: HandshakeCost;
  failure?: string;
}

async function measureBridgeAlone(candidates: readonly Candidate[], quick: boolean): Promise<Alone> {
  const alone: Alone = { daemonGrowths: [], inProcessGrowths: [] };
  const runnable = (name: string): Candidate | undefined =>
    candidates.find((one) => one.name === name && one.missing === undefined);
  const bare = runnable(bareName);
  const bridge = runnable(bridgeName);
  const growthsOf = async (one: Candidate | undefined, url: string): Promise<Growth[]> => {
    if (one === undefined) return [];
    report(`${growthCalls} calls: ${one.name}`);
    const growths: Growth[] = [];
    for (let run = 0; run < (quick ? 1 : 2); run += 1) {
      const growth = await measureGrowth(one.commandFor(url), growthCalls, one.daemon);
      if (growth !== undefined) growths.push(growth);
    }
    return growths;
  };
  try {
    await withService({ mode: 'sse', handshakeMs: 0 }, async (url) => {
      if (bare !== undefined && bridge?.daemon !== undefined) {
        report(`launching ${bridge.name} again and again`);
        const plan = quick ? quickLaunches : fullLaunches;
        alone.launch = await measureLaunchCost(
          bare.commandFor(url),
          bridge.commandFor(url),
          bridge.daemon,
          plan,
        );
      }
      // Memory does not mind who else is busy, and each waits long for its bridge to come to rest.
      [alone.daemonGrowths, alone.inProcessGrowths] = await Promise.all([
        growthsOf(bridge, url),
        growthsOf(runnable(inProcessName), url),
      ]);
    });
    if (bridge !== undefined) {
      report(`a handshake of ${expensiveHandshakeMs} ms: ${bridge.name}`);
      alone.handshake = await withService({ mode: 'sse', handshakeMs: expensiveHandshakeMs }, (url) =>
        measureHandshakeCost(url, bridge.commandFor(url), quick ? 3 : 5),
      );
      await bridge.daemon?.stop();
    }
  } catch (error) {
    alone.failure = error instanceof Error ? error.message : String(error);
  }
  return alone;
}

/** Progress goes to stderr, and only where a person looks on. */
function report(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}`);
}

async function main(): Promise<void> {
  const options = readOptions();
  const { quick, rounds, only, json, assert } = options;
  const startedAt = performance.now();
  const machine = {
    node: process.version,
    system: `${platform()} ${release()}`,
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    loadBefore: loadavg()[0]!,
  };
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-bench-'));
  try {
    await bundleRelay();
    const candidates = listCandidates(home).filter(({ name }) => only.includes(name));
    const plan = quick ? quickPlan : fullPlan;
    const sse = await withService({ mode: 'sse', handshakeMs: 0 }, async (url) => {
      report('warming the service up');
      const relay = listCandidates(home).filter(({ name }) => name === relayName);
      await runRounds(relay, url, { rounds: 1, plan: quickPlan, budgetMs: Infinity, report });
      return await runRounds(candidates, url, { ...options, plan, report });
    });
    const pairNames: readonly string[] = [relayName, bridgeName, inProcessName];
    const inPair = candidates.filter(({ name }) => pairNames.includes(name));
    let jsonBodies: Round[] = [];
    if (!quick && inPair.length > 0) {
      jsonBodies = await withService({ mode: 'json', handshakeMs: 0 }, (url) =>
        runRounds(inPair, url, { ...options, rounds: Math.min(rounds, jsonRounds), plan, report }),
      );
    }
    const alone = await measureBridgeAlone(candidates, quick);
    report('');

    const rows = rowsOf(candidates, sse);
    const findings = judgeAll({
      shared: pairsOf(sse, bridgeName, relayName),
      sharedToBare: pairsOf(sse, bridgeName, bareName),
      inProcess: pairsOf(sse, inProcessName, relayName),
      daemonGrowths: alone.daemonGrowths,
      inProcessGrowths: alone.inProcessGrowths,
      launch: alone.launch,
      handshake: alone.handshake,
    });
    const elapsedS = (performance.now() - startedAt) / 1000;

    const lines = [
      `Node.js ${machine.node} on ${machine.system}, ${machine.cpu}, load ${machine.loadBefore.toFixed(2)} before`,
      candidates.map(({ name, version }) => `${name} ${version}`).join(', '),
      '',
      `Medians of ${sse.length} interleaved rounds, least–greatest below; answers as SSE, ${inFlight} in flight for calls/s`,
      '',
      ...figureLines(rows),
    ];
    if (jsonBodies.length > 0) {
      lines.push('', 'The same with answers as plain JSON', '', ...figureLines(rowsOf(inPair, jsonBodies)));
    }
    lines.push(
      '',
      'Bounds: the ratio within each round, median (least–greatest)',
      '',
      ...findingLines(findings),
    );
    if (alone.failure !== undefined) lines.push('', `${bridgeName} failed: ${alone.failure}`);
    lines.push('', 'PF5 is measured by `npm run bench:storm`.');
    lines.push('', `Took ${elapsedS.toFixed(0)} s.`);
    console.log(lines.join('\n'));

    if (json !== undefined) {
      const versions = Object.fromEntries(candidates.map(({ name, version }) => [name, version]));
      const all = {
        machine,
        versions,
        quick,
        plan,
        inFlight,
        elapsedS,
        rows,
        sse,
        jsonBodies,
        ...alone,
        findings,
      };
      writeFileSync(json, `${JSON.stringify(all, undefined, 2)}\n`);
    }
    const isKept = findings.every(({ verdict }) => verdict === 'HOLDS');
    if (assert && !isKept) process.exitCode = 1;
  } finally {
    for (const { daemon } of listCandidates(home)) await daemon?.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
