// What `mcp-bridge status` has found out: the daemon's own status, or that there is none.

import type { Status } from '../observe/status.ts';
import { STATUS_VERSION } from '../observe/status.ts';
import { readNotes, type InProcessNote } from '../platform/in-process-note.ts';
import { daemonOf, type CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';

/** As `status --json` prints it. `inProcess`: bridges without a daemon, which can be counted but not asked. */
export type Report =
  | (Status & { readonly inProcess: readonly InProcessNote[] })
  | {
      readonly statusVersion: typeof STATUS_VERSION;
      readonly at: string;
      readonly health: 'not-running';
      readonly instance: null;
      readonly daemon?: undefined;
      readonly profiles: readonly [];
      readonly inProcess: readonly InProcessNote[];
    };

export type Finding =
  | { readonly kind: 'report'; readonly report: Report }
  /** There is a daemon, but it says nothing that can be used. */
  | { readonly kind: 'trouble'; readonly reason: string; readonly advice: string };

/** Never rejects. */
export async function findOut(context: CommandContext): Promise<Finding> {
  const answer = await daemonOf(context).get('/status');
  const inProcess = readNotes(context.paths.stateDir);
  switch (answer.kind) {
    case 'not-running':
      return {
        kind: 'report',
        report: {
          statusVersion: STATUS_VERSION,
          at: new Date(context.clock.wallTime()).toISOString(),
          health: 'not-running',
          instance: null,
          profiles: [],
          inProcess,
        },
      };
    case 'refused':
      return { kind: 'trouble', reason: answer.reason, advice: 'Run this as the user who runs the client.' };
    case 'failed':
      return { kind: 'trouble', reason: answer.reason, advice: STOP_IT };
    case 'answered': {
      if (isStatus(answer.body)) return { kind: 'report', report: { ...answer.body, inProcess } };
      const reason = `The daemon's answer (HTTP ${answer.status}) is none that this version understands.`;
      return { kind: 'trouble', reason, advice: STOP_IT };
    }
  }
}

const STOP_IT = 'Run `mcp-bridge stop`; the next client that is launched starts it anew.';

export function exitCodeOf(finding: Finding): number {
  if (finding.kind === 'trouble') return EXIT.degraded;
  switch (finding.report.health) {
    case 'healthy':
      return EXIT.ok;
    case 'degraded':
      return EXIT.degraded;
    case 'not-running':
      return finding.report.inProcess.length > 0 ? EXIT.degraded : EXIT.notRunning;
  }
}

function isStatus(body: unknown): body is Status {
  return (
    typeof body === 'object' &&
    body !== null &&
    'statusVersion' in body &&
    body.statusVersion === STATUS_VERSION &&
    'profiles' in body &&
    Array.isArray(body.profiles)
  );
}
