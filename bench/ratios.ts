// The bounds that the project has set itself for speed and memory (PF1 to PF5), and whether a run kept them. Pure.
import type { HandshakeCost } from './handshake-cost.ts';
import type { Figures, Growth } from './measure.ts';
import { summarize, type Summary } from './statistics.ts';

/** PF3 names the number. */
export const growthCalls = 20_000;

/** `not yet`: nothing to measure exists. `not measured`: it exists and this run has no figure for it. */
export type Verdict = 'HOLDS' | 'MISSED' | 'not yet' | 'not measured';

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
  readonly bridge: Figures;
  readonly relay: Figures;
}

export interface Measured {
  readonly pairs: readonly Pair[];
  readonly bridges: readonly Figures[];
  readonly growths: readonly Growth[];
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
export function judgeAll({ pairs, bridges, growths, handshake }: Measured): Finding[] {
  const ratio = (of: (pair: Pair) => readonly [number | undefined, number | undefined]): number[] =>
    pairs.flatMap((pair) => {
      const [over, under] = of(pair);
      return over === undefined || under === undefined ? [] : [over / under];
    });
  const notYet = (bound: Bound, note: string): Finding => ({
    ...bound,
    value: undefined,
    verdict: 'not yet',
    note,
  });

  return [
    notYet(
      { id: 'PF1', what: 'launch → initialize, daemon warm, to bare', is: 'at most', limit: 1.3, unit: '×' },
      'there is no daemon yet',
    ),
    notYet(
      { id: 'PF1', what: 'launch → initialize, daemon cold, to bare', is: 'at most', limit: 6, unit: '×' },
      'there is no daemon yet',
    ),
    judge(
      { id: 'PF2', what: 'p50 of a call, to the relay', is: 'at most', limit: 1.3, unit: '×' },
      ratio(({ bridge, relay }) => [bridge.p50Ms, relay.p50Ms]),
    ),
    judge(
      { id: 'PF2', what: 'calls/s, 32 in flight, to the relay', is: 'at least', limit: 0.8, unit: '×' },
      ratio(({ bridge, relay }) => [bridge.callsPerS, relay.callsPerS]),
    ),
    judge(
      { id: 'PF2', what: 'speed of 1 MiB down, to the relay', is: 'at least', limit: 0.9, unit: '×' },
      ratio(({ bridge, relay }) => [relay.downMs, bridge.downMs]),
    ),
    judge(
      { id: 'PF2', what: 'speed of 1 MiB up, to the relay', is: 'at least', limit: 0.9, unit: '×' },
      ratio(({ bridge, relay }) => [relay.upMs, bridge.upMs]),
    ),
    notYet(
      { id: 'PF3', what: 'a front, above bare Node.js', is: 'at most', limit: 8, unit: 'MB' },
      'there is no front beside a daemon yet',
    ),
    judge(
      { id: 'PF3', what: 'idle', is: 'at most', limit: 90, unit: 'MB' },
      bridges.flatMap(({ idleMb }) => (idleMb === undefined ? [] : [idleMb])),
      'in-process: the bound is the one of the daemon',
    ),
    judge(
      { id: 'PF3', what: `growth after ${growthCalls} calls`, is: 'below', limit: 20, unit: 'MB' },
      growths.map(({ idleMb, afterMb }) => afterMb - idleMb),
      growths.length === 0 ? undefined : growthNote(growths),
    ),
    judge(
      { id: 'PF4', what: 'a call on the session, to per-request', is: 'below', limit: 0.01, unit: '×' },
      handshake === undefined ? [] : [handshake.sessionMs / handshake.perRequestMs],
      handshake === undefined ? undefined : handshakeNote(handshake),
    ),
    notYet(
      { id: 'PF5', what: '200 bridges and a restart: handshakes each', is: 'at most', limit: 1, unit: '×' },
      'the benchmark has no such run yet',
    ),
  ];
}

function growthNote(growths: readonly Growth[]): string {
  const sinceWarm = summarize(growths.map(({ warmMb, afterMb }) => afterMb - warmMb)).median;
  return `${sinceWarm.toFixed(1)} MB of it came after the first ${growths[0]!.warmCalls}`;
}

function handshakeNote({ handshakeMs, sessionMs, perRequestMs }: HandshakeCost): string {
  return `${sessionMs.toFixed(2)} ms against ${perRequestMs.toFixed(0)} ms; the handshake costs ${handshakeMs} ms`;
}
