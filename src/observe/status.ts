// What `GET /status` and `mcp-bridge status --json` give: the shape, and nothing else. docs/status.schema.json says the same to
// programs, and a test holds the two together. Times are ISO 8601, durations milliseconds.

import type { Connectivity } from '../policy/connectivity.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { SignInState } from './events.ts';

/** Counted up when something that was there means something else or goes away; not when something is added. */
export const STATUS_VERSION = 1;

export type Health = 'healthy' | 'degraded';
export type RouteName = 'session' | 'per-request';

export interface Status {
  readonly statusVersion: typeof STATUS_VERSION;
  readonly at: string;
  readonly health: Health;
  readonly instance: Instance;
  /** The daemon puts it there. */
  readonly daemon?: DaemonFacts;
  readonly profiles: readonly ProfileStatus[];
}

/** The process that answers. */
export interface Instance {
  readonly mode: 'daemon' | 'in-process';
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
}

/** What the daemon says of itself. */
export interface DaemonFacts {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  readonly state: 'serving' | 'draining' | 'ending';
  readonly clients: number;
  /** Errors that nothing in the program expected, and where the last of them was. */
  readonly faults: number;
  readonly lastFault?: string | undefined;
}

export interface ProfileStatus {
  readonly profile: string;
  readonly service: string | null;
  readonly health: Health;
  /** What to do next, for anything not healthy. */
  readonly advice: string | null;
  /** Of its sessions, the one that is worst off. */
  readonly state: Connectivity['kind'];
  readonly since: string;
  readonly reason: string;
  readonly nextTryAt: string | null;
  readonly route: RouteName;
  readonly routeReason: string | null;
  readonly revision: string | null;
  readonly sessionSince: string | null;
  readonly sessions: readonly SessionStatus[];
  readonly clients: readonly ClientStatus[];
  readonly requests: RequestCounts;
  readonly latency: LatencyStatus;
  readonly lastError: LastError | null;
  readonly signIn: SignInStatus;
}

export interface SessionStatus {
  readonly id: string;
  readonly state: Connectivity['kind'];
  readonly since: string;
  readonly reason: string;
  readonly nextTryAt: string | null;
  readonly route: RouteName;
  readonly revision: string | null;
  readonly transport: string | null;
  /** False where the service keeps none. */
  readonly hasSessionId: boolean | null;
  /** When its handshake was done. */
  readonly sessionSince: string | null;
  readonly handshakes: number;
  readonly handshakeMs: number | null;
}

export interface ClientStatus {
  readonly id: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly attachedAt: string;
}

export interface RequestCounts {
  /** Those that are settled: answered, failed or cancelled. */
  readonly total: number;
  readonly answered: number;
  readonly failed: number;
  readonly cancelled: number;
  /** The failed ones by code. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Further tries of any kind. */
  readonly retries: number;
  /** Those retries whose try before may have reached the service. */
  readonly replays: number;
  /** Silent requests that were asked once more beside the first try. */
  readonly hedges: number;
  /** Tries on the per-request route. */
  readonly fallbacks: number;
}

export interface LatencyStatus {
  /** Of answered requests: the last five minutes, or since the start where those are empty. */
  readonly window: '5m' | 'all';
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** The median of each five seconds of the last five minutes, oldest first. */
  readonly trend: readonly (number | null)[];
}

export interface LastError {
  readonly at: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

export interface SignInStatus {
  readonly state: SignInState | 'unknown';
  readonly expiresAt: string | null;
}
