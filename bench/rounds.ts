// Interleaved rounds: each round starts every candidate afresh, lets all of them take turns block by block, and ends
// them. The order moves on by one from round to round.
import { bareName, type Candidate } from './candidates.ts';
import { Measurement, measureBare, type Figures, type Plan } from './measure.ts';
import type { Pair } from './ratios.ts';
import type { Row } from './table.ts';

export interface Outcome {
  readonly name: string;
  readonly figures?: Figures;
  readonly failure?: string;
}

/** In the order in which they ran. */
export type Round = readonly Outcome[];

export interface RoundsOptions {
  readonly rounds: number;
  readonly plan: Plan;
  /** No round begins that would probably end later than this; the first always runs. */
  readonly budgetMs: number;
  readonly report: (line: string) => void;
}

export async function runRounds(
  candidates: readonly Candidate[],
  url: string,
  { rounds, plan, budgetMs, report }: RoundsOptions,
): Promise<Round[]> {
  const done: Round[] = [];
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    const spentMs = performance.now() - startedAt;
    if (round > 0 && spentMs + spentMs / round > budgetMs) break;
    const order = candidates.map((_, at) => candidates[(at + round) % candidates.length]!);
    done.push(await runRound(order, url, plan, (what) => report(`round ${round + 1} of ${rounds}: ${what}`)));
  }
  return done;
}

async function runRound(
  candidates: readonly Candidate[],
  url: string,
  plan: Plan,
  report: (what: string) => void,
): Promise<Round> {
  const outcomes = new Map<string, Outcome>();
  const running = new Map<string, Measurement>();

  /** Whoever fails is out of this round, with the reason; the others go on. */
  async function attempt(name: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      outcomes.set(name, { name, failure: error instanceof Error ? error.message : String(error) });
      const failed = running.get(name);
      running.delete(name);
      await failed?.close();
    }
  }
  async function takeTurns(
    blocks: number,
    step: (one: Measurement, name: string) => Promise<void>,
  ): Promise<void> {
    for (let block = 0; block < blocks; block += 1) {
      for (const [name, one] of running) await attempt(name, () => step(one, name));
    }
  }

  for (const { name, missing, daemon, commandFor } of candidates) {
    report(`launching ${name}`);
    await attempt(name, async () => {
      if (missing !== undefined) throw new Error(missing);
      if (name === bareName) outcomes.set(name, { name, figures: await measureBare(commandFor(url), plan) });
      else running.set(name, await Measurement.begin(commandFor(url), plan, daemon));
    });
  }
  report('warming up');
  await takeTurns(plan.warm.blocks, (one) => one.warmUp(plan));
  report('one call after the other');
  await takeTurns(plan.latency.blocks, (one) => one.measureLatency(plan));
  report('many calls in flight');
  await takeTurns(plan.flood.blocks, (one) => one.measureFlood(plan));
  report('large payloads');
  await takeTurns(1, (one) => one.warmUpPayloads(plan));
  await takeTurns(plan.payload.blocks, (one) => one.measurePayloads(plan));
  await takeTurns(1, async (one, name) => {
    outcomes.set(name, { name, figures: one.figures() });
    await one.close();
  });
  return candidates.flatMap(({ name }) => outcomes.get(name) ?? []);
}

export function rowsOf(candidates: readonly Candidate[], rounds: readonly Round[]): Row[] {
  return candidates.map(({ name, version }) => {
    const own = rounds.flatMap((round) => round.filter((outcome) => outcome.name === name));
    return {
      name,
      version,
      figures: own.flatMap(({ figures }) => figures ?? []),
      failures: own.flatMap(({ failure }) => failure ?? []),
    };
  });
}

/** What the rounds measured of one candidate beside another. */
export function pairsOf(rounds: readonly Round[], name: string, besideName: string): Pair[] {
  return rounds.flatMap((round) => {
    const of = (wanted: string): Figures | undefined =>
      round.find((outcome) => outcome.name === wanted)?.figures;
    const own = of(name);
    const beside = of(besideName);
    return own === undefined || beside === undefined ? [] : [{ own, beside }];
  });
}
