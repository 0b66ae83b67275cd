// Which client uses which session. Clients of one profile whose `initialize` differs in nothing but `clientInfo` share one;
// there are so many sessions a profile, and clients beyond that go per-request until one becomes free.

import type { Clock } from '../platform/clock.ts';
import { Abort, abortSignalOf } from '../platform/abort.ts';
import type { Rng } from '../platform/random.ts';
import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Observer } from '../observe/events.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { SessionClient, ServiceSession } from '../upstream/service-session.ts';
import { Lease } from './lease.ts';
import { PerRequestService } from './per-request-service.ts';
import { SharedSession } from './shared-session.ts';
import { clientKey, profileKey } from './sharing-key.ts';

/** What ending a session that nobody uses may take, in milliseconds. */
const END_MS = 2000;

export interface PoolOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Takes the events of one session; without `session`, those of the profile. */
  readonly observerFor: (labels: { readonly profile: string; readonly session?: string }) => Observer;
  /** Who has the Authorization for this profile, where that is not one of its headers. */
  readonly credentialsFor?: (profile: Profile, settings: Settings) => Credentials | undefined;
}

export interface LeaseRequest extends SessionClient {
  readonly profile: Profile;
  /** Where a session is made for this client, it works with these. */
  readonly settings: Settings;
}

export interface SessionStats {
  readonly id: string;
  readonly profile: string;
  readonly state: string;
  readonly leases: number;
  readonly callsInFlight: number;
  readonly calls: number;
  /** Clock.wallTime(). */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

export interface PoolStats {
  readonly sessions: readonly SessionStats[];
  /** Clients that are served without a session, because there are too many. */
  readonly perRequestLeases: number;
}

interface Seat {
  readonly key: string;
  readonly shared: SharedSession;
}

interface Waiting {
  readonly key: string;
  readonly lease: Lease;
  readonly request: LeaseRequest;
  readonly service: PerRequestService;
}

/** The sessions with one service under one set of headers. */
interface ProfilePool {
  readonly key: string;
  /** By what clients must have in common to share. */
  readonly seats: Map<string, Seat>;
  /** Sessions that are being ended; the service may still know them. */
  ending: number;
  /** Clients that go per-request until there is room, in the order in which they came. */
  readonly waiting: Set<Waiting>;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #profiles = new Map<string, ProfilePool>();
  readonly #endings = new Set<Promise<void>>();
  #nextId = 1;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A share in a session, or in what takes its place. No I/O yet. */
  lease(request: LeaseRequest): ServiceSession {
    const pool = this.#poolOf(request.profile);
    const key = clientKey(request.initialize);
    if (!this.#isClosed) {
      const seat = this.#seatFor(pool, key, request);
      if (seat !== undefined) return new Lease(seat.shared.join(request), () => this.#makeRoom(pool));
    }
    return this.#leaseWithoutSession(pool, key, request);
  }

  /** Once for all, when the machine has slept or changed networks. */
  checkNow(reason: string): void {
    for (const { seats, waiting } of this.#profiles.values()) {
      for (const { shared } of seats.values()) shared.checkNow(reason);
      for (const { service } of waiting) service.checkNow(reason);
    }
  }

  /** Ends the sessions that nobody uses. Returns how many. */
  cleanup(): number {
    let ended = 0;
    for (const pool of [...this.#profiles.values()]) {
      for (const seat of [...pool.seats.values()]) {
        if (seat.shared.size > 0) continue;
        ended += 1;
        this.#end(pool, seat);
      }
    }
    return ended;
  }

  /** Ends a session at the service; the clients that share it get a new one. False where there is none of this id. */
  reset(id: string): boolean {
    for (const { seats } of this.#profiles.values()) {
      for (const { shared } of seats.values()) {
        if (shared.id !== id) continue;
        shared.reset();
        return true;
      }
    }
    return false;
  }

  stats(): PoolStats {
    const { clock } = this.#options;
    const wallTimeAt = (at: number): number => Math.round(clock.wallTime() - (clock.now() - at));
    const pools = [...this.#profiles.values()];
    return {
      sessions: pools.flatMap(({ seats }) =>
        [...seats.values()].map(({ shared }) => {
          return {
            id: shared.id,
            profile: shared.profileName,
            state: shared.session.state.kind,
            leases: shared.size,
            callsInFlight: shared.callsInFlight,
            calls: shared.calls,
            createdAt: shared.createdAt,
            lastUsedAt: wallTimeAt(shared.lastUsedAt),
          };
        }),
      ),
      perRequestLeases: pools.reduce((sum, { waiting }) => sum + waiting.size, 0),
    };
  }

  /** Ends all sessions at their services, as far as `signal` leaves time for it. */
  async close(signal: AbortSignal): Promise<void> {
    this.#isClosed = true;
    const closing: Promise<unknown>[] = [...this.#endings];
    for (const { seats, waiting } of this.#profiles.values()) {
      for (const { shared } of seats.values()) closing.push(shared.close(signal));
      for (const { service } of waiting) closing.push(service.close(signal));
    }
    await Promise.all(closing);
  }

  #poolOf(profile: Profile): ProfilePool {
    const key = profileKey(profile);
    let pool = this.#profiles.get(key);
    if (pool === undefined) {
      pool = { key, seats: new Map(), ending: 0, waiting: new Set() };
      this.#profiles.set(key, pool);
    }
    return pool;
  }

  /** The session to share, made where there is room for it; undefined where there is none. */
  #seatFor(pool: ProfilePool, key: string, request: LeaseRequest): Seat | undefined {
    const found = pool.seats.get(key);
    const { clock, rng, observerFor } = this.#options;
    const { profile, settings, initialize } = request;
    if (found !== undefined) {
      const told = observerFor({ profile: profile.name, session: found.shared.id });
      told({ type: 'pool.session', change: 'shared', reason: 'another client of the same kind' });
      return found;
    }
    if (pool.seats.size + pool.ending >= request.settings.maxSessionsPerProfile) return undefined;
    const id = `s${this.#nextId}`;
    this.#nextId += 1;
    const observer = observerFor({ profile: profile.name, session: id });
    const onUseless = (): void => this.#end(pool, seat);
    const credentials = this.#options.credentialsFor?.(profile, settings);
    const shared = new SharedSession({
      id,
      profile,
      settings,
      clock,
      rng,
      observer,
      initialize,
      credentials,
      onUseless,
    });
    const seat: Seat = { key, shared };
    pool.seats.set(key, seat);
    observer({ type: 'pool.session', change: 'opened', reason: 'no client of this kind had one' });
    return seat;
  }

  #leaseWithoutSession(pool: ProfilePool, key: string, request: LeaseRequest): Lease {
    const { clock, rng, observerFor } = this.#options;
    const { profile, settings } = request;
    const observer = observerFor({ profile: profile.name });
    const credentials = this.#options.credentialsFor?.(profile, settings);
    const service = new PerRequestService({
      client: request,
      profile,
      settings,
      clock,
      rng,
      observer,
      credentials,
    });
    const lease = new Lease(service, () => {
      pool.waiting.delete(waiting);
      this.#makeRoom(pool);
    });
    const waiting: Waiting = { key, lease, request, service };
    if (this.#isClosed) {
      void lease.close(AbortSignal.abort());
      return lease;
    }
    pool.waiting.add(waiting);
    const reason = `all ${settings.maxSessionsPerProfile} sessions of this profile are in use`;
    observer({ type: 'pool.session', change: 'limit', reason });
    observer({ type: 'session.route', route: 'per-request', reason });
    this.#makeRoom(pool);
    return lease;
  }

  /** A session that is only kept warm is worth less than a client that has none. */
  #makeRoom(pool: ProfilePool): void {
    const spare = [...pool.seats.values()].filter(({ shared }) => shared.size === 0);
    const oldest = spare.toSorted((a, b) => a.shared.lastUsedAt - b.shared.lastUsedAt);
    for (const seat of oldest.slice(0, Math.max(0, pool.waiting.size - pool.ending))) this.#end(pool, seat);
    this.#tidy(pool);
  }

  /** Ends one that nobody uses; its place is free when the service has been told. */
  #end(pool: ProfilePool, seat: Seat): void {
    if (this.#isClosed || pool.seats.get(seat.key) !== seat) return;
    pool.seats.delete(seat.key);
    pool.ending += 1;
    const { profileName: profile, id: session } = seat.shared;
    const told = this.#options.observerFor({ profile, session });
    told({ type: 'pool.session', change: 'closed', reason: 'nobody uses it' });
    const limit = new Abort();
    const timer = this.#options.clock.after(END_MS, () => limit.abort());
    const ending = seat.shared.close(abortSignalOf(limit)).finally(() => {
      timer.cancel();
      this.#endings.delete(ending);
      pool.ending -= 1;
      this.#fill(pool);
      this.#makeRoom(pool);
    });
    this.#endings.add(ending);
  }

  /** Gives the clients that have waited longest the sessions that there is room for. */
  #fill(pool: ProfilePool): void {
    if (this.#isClosed) return;
    for (const waiting of [...pool.waiting]) {
      const { key, lease, request, service } = waiting;
      const seat = this.#seatFor(pool, key, request);
      if (seat === undefined) continue;
      pool.waiting.delete(waiting);
      const member = seat.shared.join(request);
      lease.move(member);
      member.want();
      const observer = this.#options.observerFor({ profile: request.profile.name, session: seat.shared.id });
      observer({ type: 'session.route', route: 'session', reason: 'a session has become free' });
      void this.#retire(service);
    }
  }

  async #retire(service: PerRequestService): Promise<void> {
    const limit = new Abort();
    const timer = this.#options.clock.after(END_MS, () => limit.abort());
    await service.close(abortSignalOf(limit));
    timer.cancel();
  }

  #tidy(pool: ProfilePool): void {
    if (pool.seats.size + pool.ending + pool.waiting.size === 0 && this.#profiles.get(pool.key) === pool)
      this.#profiles.delete(pool.key);
  }
}
