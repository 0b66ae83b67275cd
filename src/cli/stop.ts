// `mcp-bridge stop`: ends the daemon, and says when it has gone.

import type { Answer } from '../platform/control-client.ts';
import { sleep } from '../platform/clock.ts';
import type { Arguments, CommandContext } from './command.ts';
import { daemonOf } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { answerProblem } from './render/answer-view.ts';
import { findOut } from './status-report.ts';

/** How long the end may take, in milliseconds; sessions are given back on the way. */
const LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

export async function run(_args: Arguments, context: CommandContext): Promise<number> {
  const { stdout, stderr, clock } = context;
  const daemon = daemonOf(context);
  const finding = await findOut(context);
  const clients =
    finding.kind === 'report'
      ? finding.report.profiles.reduce((sum, each) => sum + each.clients.length, 0)
      : 0;
  const answer = await daemon.post('/shutdown');
  if (answer.kind === 'not-running') {
    stdout.write('mcp-bridge is not running; there was nothing to stop.\n');
    return EXIT.notRunning;
  }
  const problem = answerProblem(answer);
  if (problem !== undefined) {
    stderr.write(`mcp-bridge was not stopped: ${problem}\n`);
    return EXIT.degraded;
  }
  const pid = pidOf(answer) ?? (finding.kind === 'report' ? finding.report.instance?.pid : undefined);
  const until = clock.now() + LIMIT_MS;
  while (clock.now() < until) {
    const seen = await findOut(context);
    const now = seen.kind === 'report' ? seen.report.instance?.pid : pid;
    if (now === undefined) {
      const who = clients === 0 ? '' : ' Clients that were attached start it again when they need it.';
      stdout.write(`mcp-bridge was stopped.${who}\n`);
      return EXIT.ok;
    }
    if (pid !== undefined && now !== pid) {
      const why =
        'A client that is still open has started it again; close the clients to keep it from running.';
      stdout.write(`mcp-bridge was stopped (pid ${pid}). ${why}\n`);
      return EXIT.ok;
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
  stderr.write(`mcp-bridge was told to stop, but still runs after ${LIMIT_MS / 1000} s.`);
  stderr.write(pid === undefined ? '\n' : ` End the process ${pid} by hand if it stays.\n`);
  return EXIT.degraded;
}

/** The daemon's word for who it is, which is good also where its status makes no sense. */
function pidOf(answer: Answer): number | undefined {
  const body: unknown = answer.kind === 'answered' ? answer.body : undefined;
  const hasPid = typeof body === 'object' && body !== null && 'pid' in body && typeof body.pid === 'number';
  return hasPid ? (body.pid as number) : undefined;
}
