// Interleaved rounds: each round starts every candidate once, afresh, in an order that moves on by one, so that what
// else the machine does falls on all of them alike.
import { bareName, bridgeName, relayName, type Candidate } from './candidates.ts';
import { measureBare, measureBridge, type Figures, type Plan } from './measure.ts';
import type { Pair } from './ratios.ts';
import type { Row } from './table.ts';

export interface Outcome {
  readonly name: string;
  readonly figures?: Figures;
  readonly failure?: string;
}

/** In the order in which they ran. */
export type Round = readonly Outcome[];

export async function runRounds(
  candidates: readonly Candidate[],
  url: string,
  { rounds, plan, report }: { rounds: number; plan: Plan; report: (line: string) => void },
): Promise<Round[]> {
  const done: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const outcomes: Outcome[] = [];
    for (let at = 0; at < candidates.length; at += 1) {
      const candidate = candidates[(at + round) % candidates.length]!;
      report(`round ${round + 1} of ${rounds}: ${candidate.name}`);
      outcomes.push(await measure(candidate, url, plan));
    }
    done.push(outcomes);
  }
  return done;
}

async function measure({ name, missing, commandFor }: Candidate, url: string, plan: Plan): Promise<Outcome> {
  if (missing !== undefined) return { name, failure: missing };
  try {
    const run = name === bareName ? measureBare : measureBridge;
    return { name, figures: await run(commandFor(url), plan) };
  } catch (error) {
    return { name, failure: error instanceof Error ? error.message : String(error) };
  }
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

export function pairsOf(rounds: readonly Round[]): Pair[] {
  return rounds.flatMap((round) => {
    const of = (name: string): Figures | undefined => round.find((outcome) => outcome.name === name)?.figures;
    const bridge = of(bridgeName);
    const relay = of(relayName);
    return bridge === undefined || relay === undefined ? [] : [{ bridge, relay }];
  });
}
