// The command line for people. `run` is not here: what clients launch must not load this.

import { Command } from 'commander';
import { SETTINGS, flagName, rangeOf } from '../config/settings.ts';

declare const __VERSION__: string;

/** Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('mcp-bridge')
    .description('Use a hosted MCP service from Claude Desktop as if it were local.')
    .version(__VERSION__)
    .showHelpAfterError()
    .exitOverride();
  const run = program
    .command('run <url|profile>')
    .description(
      'bridge stdin and stdout to the service; this is what a client launches (`mcp-bridge <url>` for short)',
    )
    .option(
      '--header <NAME=env:VARIABLE>',
      'send this header, its value taken from an environment variable; may be repeated',
    );
  for (const [name, spec] of Object.entries(SETTINGS)) {
    const flag = spec.type === 'switch' ? `--${flagName(name)}` : `--${flagName(name)} <value>`;
    run.option(flag, `${spec.about} ${rangeOf(spec)}; default ${String(spec.default)}`);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}
