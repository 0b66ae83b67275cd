// The command line for people. `run` is not here: what clients launch must not load this.

import { keepAlive, systemClock } from '../platform/clock.ts';
import { resolvePaths } from '../platform/paths.ts';
import { isUsageError, parseArguments, type CommandSpec } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './exit-codes.ts';

declare const __VERSION__: string;

/** Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  const spec = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const asksForHelp = rest.some((word) => word === '--help' || word === '-h');
  if (spec === undefined || asksForHelp) return (await import('./help.ts')).help(argv, __VERSION__);
  return runCommand(spec, rest);
}

async function runCommand(spec: CommandSpec, argv: readonly string[]): Promise<number> {
  const { env, stdout, stderr } = process;
  // Who pipes into `head` closes stdout early: nothing is wrong with that.
  stdout.on('error', () => process.exit(EXIT.ok));
  stderr.on('error', () => {});
  // What is waited for may be a timer alone.
  const release = keepAlive();
  try {
    const args = parseArguments(spec, argv);
    const { run } = await spec.load();
    return await run(args, { env, stdout, stderr, clock: systemClock, paths: resolvePaths(env) });
  } catch (error) {
    if (!isUsageError(error)) throw error;
    stderr.write(`mcp-bridge: ${error.message}\nTry \`mcp-bridge ${spec.usage.split(' ')[0]} --help\`.\n`);
    return EXIT.usage;
  } finally {
    release();
  }
}
