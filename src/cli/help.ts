// The help pages, and what is said of a command that does not exist. Commander writes them from the table of commands.

import { Command } from 'commander';
import { SETTINGS, flagName, rangeOf } from '../config/settings.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './exit-codes.ts';

/** Shows the help that `argv` asks for. Resolves with the exit code. */
export async function help(argv: readonly string[], version: string): Promise<number> {
  const program = new Command('mcp-bridge')
    .description('Use a hosted MCP service from Claude Desktop as if it were local.')
    .version(version)
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
  for (const { usage, about, options } of Object.values(COMMANDS)) {
    const command = program.command(usage).description(about);
    for (const option of options) command.option(option.flags, option.about);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}
