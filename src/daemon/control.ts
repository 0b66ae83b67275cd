// What the control routes ask for. The daemon knows the routes; who knows the answers is handed in.

import type { Writable } from 'node:stream';

export interface ControlHandlers {
  /** JSON; what the daemon says of itself is put beside it as `daemon`. */
  status(): object;
  poolStats(): object;
  /** Ends what nobody uses; tells what it ended. */
  poolCleanup(): object;
  /** False where there is no such session. */
  resetSession(id: string): boolean;
  /** Prometheus text. */
  metricsText(): string;
  /** Server-sent events, until the reader has gone. */
  streamEvents(output: Writable): Promise<void>;
}

/** What the daemon says of itself in GET /status. */
export interface DaemonFacts {
  readonly pid: number;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly state: 'serving' | 'draining' | 'ending';
  readonly clients: number;
  /** Errors that nothing in the program expected, and the last of them. */
  readonly faults: number;
  readonly lastFault: string | undefined;
}
