// What the daemon's answers mean, in words.

import type { Answer } from '../../platform/control-client.ts';

/** Undefined where it did what it was asked for. */
export function answerProblem(answer: Answer): string | undefined {
  switch (answer.kind) {
    case 'answered':
      return answer.status < 400 ? undefined : `the daemon refuses it (HTTP ${answer.status}).`;
    case 'not-running':
      return 'mcp-bridge is not running any more.';
    case 'refused':
    case 'failed':
      return answer.reason;
  }
}
