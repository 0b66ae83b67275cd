// What `GET /pool/stats` gives: the pool's own figures, with times as people and programs read them. docs/pool-stats.schema.json
// says the same to programs.

/** As the pool counts; times are milliseconds since 1970. */
export interface PoolFigures {
  readonly sessions: readonly {
    readonly id: string;
    readonly profile: string;
    readonly state: string;
    readonly leases: number;
    readonly callsInFlight: number;
    readonly calls: number;
    readonly createdAt: number;
    readonly lastUsedAt: number;
  }[];
  readonly perRequestLeases: number;
}

export interface PoolReport {
  readonly at: string;
  readonly sessions: readonly PoolSession[];
  /** Clients that are served without a session of the pool, because there are as many as may be. */
  readonly clientsWithoutSession: number;
}

export interface PoolSession {
  readonly id: string;
  readonly profile: string;
  readonly state: string;
  /** That share it. */
  readonly clients: number;
  readonly callsInFlight: number;
  readonly calls: number;
  readonly createdAt: string;
  readonly lastUsedAt: string;
}

/** @param now milliseconds since 1970 */
export function poolReport({ sessions, perRequestLeases }: PoolFigures, now: number): PoolReport {
  const iso = (at: number): string => new Date(at).toISOString();
  return {
    at: iso(now),
    sessions: sessions.map(({ leases, createdAt, lastUsedAt, ...rest }) => {
      return { ...rest, clients: leases, createdAt: iso(createdAt), lastUsedAt: iso(lastUsedAt) };
    }),
    clientsWithoutSession: perRequestLeases,
  };
}
