// `mcp-bridge status`: how it is, and what to do where it is not well.

import { UsageError, type Arguments, type CommandContext } from './command.ts';
import { statusLines } from './render/status-view.ts';
import { styleFor } from './render/style.ts';
import { exitCodeOf, findOut } from './status-report.ts';

const COLUMNS = 100;

export async function run({ options }: Arguments, context: CommandContext): Promise<number> {
  const { stdout, env } = context;
  if (options['watch'] === true) {
    if (options['json'] === true)
      throw new UsageError('--watch is for people and --json for programs: choose one.');
    if (!stdout.isTTY) throw new UsageError('--watch needs a terminal. Programs can follow GET /events.');
    return (await import('./watch.ts')).watch(context);
  }
  const finding = await findOut(context);
  const style = styleFor(stdout, env);
  if (options['json'] === true && finding.kind === 'report') {
    stdout.write(`${JSON.stringify(finding.report, undefined, 2)}\n`);
  } else {
    const lines = statusLines(finding, { style, columns: stdout.columns ?? COLUMNS, withTrend: false });
    const output = options['json'] === true ? context.stderr : stdout;
    output.write(`${lines.join('\n')}\n`);
  }
  return exitCodeOf(finding);
}
