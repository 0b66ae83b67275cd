// `mcp-bridge reset`: has the daemon make its sessions with the service anew. Clients stay attached and notice nothing but the time
// that a handshake takes.

import type { ProfileStatus } from '../observe/status.ts';
import { nearest } from '../config/nearest.ts';
import { daemonOf, UsageError, type Arguments, type CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { answerProblem } from './render/answer-view.ts';
import { findOut } from './status-report.ts';

export async function run({ words }: Arguments, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context;
  const finding = await findOut(context);
  if (finding.kind === 'trouble') {
    stderr.write(`${finding.reason} ${finding.advice}\n`);
    return EXIT.degraded;
  }
  if (finding.report.health === 'not-running') {
    stdout.write('mcp-bridge is not running, so there is no session to reset.\n');
    return EXIT.notRunning;
  }
  const targets = choose(finding.report.profiles, words[0]);
  if (targets.length === 0) {
    stdout.write('There is no session at the moment, so there is nothing to reset.\n');
    return EXIT.ok;
  }
  const daemon = daemonOf(context);
  let failed = 0;
  for (const { profile, id } of targets) {
    const answer = await daemon.post(`/sessions/${encodeURIComponent(id)}/reset`);
    const problem = answerProblem(answer);
    if (answer.kind === 'answered' && answer.status === 404)
      stdout.write(`Session ${id} of ${profile} has gone by itself; there was nothing to reset.\n`);
    else if (problem === undefined)
      stdout.write(`Session ${id} of ${profile} was reset; the next request opens a new one.\n`);
    else {
      failed += 1;
      stderr.write(`Session ${id} of ${profile} was not reset: ${problem}\n`);
    }
  }
  return failed === 0 ? EXIT.ok : EXIT.degraded;
}

interface Target {
  readonly profile: string;
  readonly id: string;
}

/** @throws UsageError where nothing has that name */
function choose(profiles: readonly ProfileStatus[], wanted: string | undefined): Target[] {
  const all = profiles.flatMap(({ profile, sessions }) => sessions.map(({ id }) => ({ profile, id })));
  if (wanted === undefined) return all;
  const chosen = all.filter(({ profile, id }) => profile === wanted || id === wanted);
  const names = [...profiles.map(({ profile }) => profile), ...all.map(({ id }) => id)];
  if (chosen.length > 0 || names.includes(wanted)) return chosen;
  const hint = nearest(wanted, names);
  const what = hint === undefined ? '' : ` Did you mean "${hint}"?`;
  throw new UsageError(`There is no session and no profile in use with the name "${wanted}".${what}`);
}
