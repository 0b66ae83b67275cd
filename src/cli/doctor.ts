// `mcp-bridge doctor`: goes the whole way to a service, and says at which step it fails and what to do.

import { confirm } from '@clack/prompts';
import { ConfigError, profileNames } from '../config/resolve.ts';
import type { Arguments, CommandContext } from './command.ts';
import { UsageError } from './command.ts';
import { examine, shownTarget } from './doctor/examine.ts';
import type { Examination } from './doctor/step.ts';
import { EXIT } from './exit-codes.ts';
import { stepLines, summaryLine } from './render/doctor-view.ts';
import { styleFor } from './render/style.ts';

const COLUMNS = 100;

export async function run({ words, options }: Arguments, context: CommandContext): Promise<number> {
  const { stdout, env } = context;
  const isJson = options['json'] === true;
  if (isJson && options['repair'] === true)
    throw new UsageError('--json only tells, and --repair asks and writes: give one of them.');
  const style = styleFor(stdout, env);
  const columns = stdout.columns ?? COLUMNS;
  const say = (lines: readonly string[]): void => {
    if (!isJson) stdout.write(`${lines.join('\n')}\n`);
  };
  const found: Examination[] = [];
  for (const target of targetsOf(words[0], context)) {
    say([style.bold(`mcp-bridge doctor: ${shownTarget(target)}`), '']);
    const examination = await examine(target, context, (result) =>
      say(stepLines(result, { style, columns })),
    );
    say(['', summaryLine(examination.steps, style), '']);
    found.push(examination);
  }
  if (!isJson) {
    const repaired = await offerRepair(found, options['repair'] === true, context);
    if (repaired !== undefined) return repaired;
  }
  if (isJson) stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  const isWell = found.every(({ steps }) => steps.every(({ kind }) => kind !== 'failed'));
  return isWell ? EXIT.ok : EXIT.degraded;
}

/** Where a client has lost an entry of ours: writes it again, if somebody wants that. Resolves with the exit code then. */
async function offerRepair(
  found: readonly Examination[],
  isAsked: boolean,
  context: CommandContext,
): Promise<number | undefined> {
  const lost = found.flatMap(({ lost: each }) => each);
  if (lost.length === 0) return undefined;
  const isTerminal = process.stdin.isTTY && context.stdout.isTTY;
  if (!isAsked && !(isTerminal && (await confirm({ message: 'Write the entry again now?' })) === true))
    return undefined;
  const { run: setUp } = await import('./setup.ts');
  const codes: number[] = [];
  for (const { name, client } of lost)
    codes.push(await setUp({ words: [name], options: { client, 'no-check': true, yes: true } }, context));
  return Math.max(...codes);
}

/** What is asked for, or every profile. @throws UsageError where there is neither */
function targetsOf(word: string | undefined, { paths }: CommandContext): readonly string[] {
  if (word !== undefined) return [word];
  let names: readonly string[];
  try {
    names = profileNames(paths);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
  if (names.length > 0) return names;
  throw new UsageError(`Which service? Give its URL: ${paths.configFile} has no profile.`);
}
