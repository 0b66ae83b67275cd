// The bounds that the project has set itself for speed and memory (PF1 to PF4), and whether a run kept them. Pure.
import type { HandshakeCost } from './handshake-cost.ts';
import type { Launch, LaunchCost } from './launch-cost.ts';
import type { Figures, Growth } from './measure.ts';
import { median, summarize, type Summary } from './statistics.ts';

/** PF3 names the number. */
export const growthCalls = 20_000;

/** `not measured`: this run has no figure for it. */
export type Verdict = 'HOLDS' | 'MISSED' | 'not measured';

export interface Bound {
  readonly id: string;
  readonly what: string;
  readonly is: 'at most' | 'at least' | 'below';
  readonly limit: number;
  readonly unit: '×' | 'MB';
}

export interface Finding extends Bound {
  readonly value: Summary | undefined;
  readonly verdict: Verdict;
  readonly note?: string;
}

/** What one round measured of the two that are compared; a side that failed is absent. */
export interface Pair {
  readonly own: Figures;
  readonly beside: Figures;
}

export interface Measured {
  /** As shipped, with a daemon in the path, beside the relay and beside bare Node.js. */
  readonly shared: readonly Pair[];
  readonly sharedToBare: readonly Pair[];
  /** Without a daemon, beside the relay. */
  readonly inProcess: readonly Pair[];
  readonly launch: LaunchCost | undefined;
  readonly daemonGrowths: readonly Growth[];
  readonly inProcessGrowths: readonly Growth[];
  readonly handshake: HandshakeCost | undefined;
}

export function judge(bound: Bound, samples: readonly number[], note?: string): Finding {
  const extra = note === undefined ? {} : { note };
  if (samples.length === 0) return { ...bound, value: undefined, verdict: 'not measured', ...extra };
  const value = summarize(samples);
  return { ...bound, value, verdict: isKept(bound, value.median) ? 'HOLDS' : 'MISSED', ...extra };
}

function isKept({ is, limit }: Bound, value: number): boolean {
  if (is === 'at most') return value <= limit;
  return is === 'at least' ? value >= limit : value < limit;
}

/** Each ratio is taken within a round, where both ran under the same conditions; the median of the rounds counts. */
export function judgeAll(measured: Measured): Finding[] {
  const { shared, sharedToBare, inProcess, launch, daemonGrowths, inProcessGrowths, handshake } = measured;
  return [
    judgeLaunch('warm', 1.3, launch?.warm),
    judgeLaunch('cold', 6, launch?.cold),
    judge(
      { id: 'PF2', what: 'through the daemon: p50, to the relay', is: 'at most', limit: 1.5, unit: '×' },
      ratios(shared, ({ own, beside }) => [own.p50Ms, beside.p50Ms]),
    ),
    judge(
      {
        id: 'PF2',
        what: 'through the daemon: calls/s, 32 in flight',
        is: 'at least',
        limit: 0.75,
        unit: '×',
      },
      ratios(shared, ({ own, beside }) => [own.callsPerS, beside.callsPerS]),
    ),
    judge(
      { id: 'PF2', what: 'in-process: p50, to the relay', is: 'at most', limit: 1.3, unit: '×' },
      ratios(inProcess, ({ own, beside }) => [own.p50Ms, beside.p50Ms]),
    ),
    judge(
      { id: 'PF2', what: 'in-process: calls/s, 32 in flight', is: 'at least', limit: 0.8, unit: '×' },
      ratios(inProcess, ({ own, beside }) => [own.callsPerS, beside.callsPerS]),
    ),
    judge(
      { id: 'PF2', what: 'in-process: speed of 1 MiB down', is: 'at least', limit: 0.9, unit: '×' },
      ratios(inProcess, ({ own, beside }) => [beside.downMs, own.downMs]),
    ),
    judge(
      { id: 'PF2', what: 'in-process: speed of 1 MiB up', is: 'at least', limit: 0.9, unit: '×' },
      ratios(inProcess, ({ own, beside }) => [beside.upMs, own.upMs]),
    ),
    judge(
      { id: 'PF3', what: 'a front, above bare Node.js', is: 'at most', limit: 8, unit: 'MB' },
      sharedToBare.flatMap(({ own, beside }) =>
        own.idleMb === undefined || beside.idleMb === undefined ? [] : [own.idleMb - beside.idleMb],
      ),
    ),
    judge(
      { id: 'PF3', what: 'the daemon, idle', is: 'at most', limit: 90, unit: 'MB' },
      sharedToBare.flatMap(({ own }) => own.daemonIdleMb ?? []),
    ),
    judgeGrowth('the daemon', daemonGrowths),
    judgeGrowth('in-process', inProcessGrowths),
    judge(
      { id: 'PF4', what: 'a call on the session, to per-request', is: 'below', limit: 0.01, unit: '×' },
      handshake === undefined ? [] : [handshake.sessionMs / handshake.perRequestMs],
      handshake === undefined ? undefined : handshakeNote(handshake),
    ),
  ];
}

function ratios(
  pairs: readonly Pair[],
  of: (pair: Pair) => readonly [number | undefined, number | undefined],
): number[] {
  return pairs.flatMap((pair) => {
    const [over, under] = of(pair);
    return over === undefined || under === undefined ? [] : [over / under];
  });
}

function judgeLaunch(temperature: string, limit: number, launches: readonly Launch[] = []): Finding {
  const what = `launch → initialize, daemon ${temperature}, to bare`;
  const note =
    launches.length === 0
      ? undefined
      : `${median(launches.map(({ ms }) => ms)).toFixed(1)} ms against ${median(launches.map(({ bareMs }) => bareMs)).toFixed(1)} ms`;
  return judge(
    { id: 'PF1', what, is: 'at most', limit, unit: '×' },
    launches.map(({ ms, bareMs }) => ms / bareMs),
    note,
  );
}

function judgeGrowth(who: string, growths: readonly Growth[]): Finding {
  return judge(
    { id: 'PF3', what: `${who}: growth after ${growthCalls} calls`, is: 'below', limit: 20, unit: 'MB' },
    growths.map(({ idleMb, afterMb }) => afterMb - idleMb),
    growths.length === 0 ? undefined : growthNote(growths),
  );
}

function growthNote(growths: readonly Growth[]): string {
  const sinceWarm = summarize(growths.map(({ warmMb, afterMb }) => afterMb - warmMb)).median;
  return `${sinceWarm.toFixed(1)} MB of it came after the first ${growths[0]!.warmCalls}`;
}

function handshakeNote({ handshakeMs, sessionMs, perRequestMs }: HandshakeCost): string {
  return `${sessionMs.toFixed(2)} ms against ${perRequestMs.toFixed(0)} ms; the handshake costs ${handshakeMs} ms`;
}
