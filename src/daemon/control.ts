// What the control routes ask for. The daemon knows the routes; who knows the answers is handed in.

export interface ControlHandlers {
  /** JSON; what the daemon says of itself is put beside it as `daemon`. */
  status(): object;
  poolStats(): object;
  /** Ends what nobody uses; tells what it ended. */
  poolCleanup(): Promise<object>;
  /** Undefined where there is no such session. */
  resetSession(id: string): Promise<object | undefined>;
  /** Prometheus text. */
  metricsText(): string;
  /** Calls back with each event, as JSON, until the returned function is called. */
  subscribe(onEvent: (event: object) => void): () => void;
}

/** A daemon that tells of nothing but itself. */
export function simpleControl(): ControlHandlers {
  return {
    status: () => ({}),
    poolStats: () => ({ profiles: [] }),
    poolCleanup: () => Promise.resolve({ ended: 0 }),
    resetSession: () => Promise.resolve(undefined),
    metricsText: () => '',
    subscribe: () => () => {},
  };
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
