// What the events have told about one profile: its sessions, its clients, and what its requests came to.

import { ERROR_KINDS, type ErrorCode } from '../protocol/errors.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { BridgeEvent, Observed, SignInState } from './events.ts';
import { Histogram, quantile } from './histogram.ts';
import { LatencyWindow } from './latency-window.ts';
import { iso, round, SessionRecord } from './session-record.ts';
import type { LastError, LatencyStatus, ProfileStatus } from './status.ts';

const MAX_SESSIONS = 64;
const MAX_CLIENTS = 1024;
const MAX_TEXT = 300;

/** The worst first. */
const BY_CONCERN: readonly Connectivity['kind'][] = [
  'TRANSIENT_FAILURE',
  'CONNECTING',
  'READY',
  'IDLE',
  'SHUTDOWN',
];

interface Client {
  readonly at: number;
  name: string | undefined;
  version: string | undefined;
}

type Settled = Extract<BridgeEvent, { type: 'request.settled' }>;

export class ProfileRecord {
  readonly profile: string;
  readonly #firstSeen: number;
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #clients = new Map<string, Client>();
  readonly #window = new LatencyWindow();
  readonly #latency = new Histogram();
  readonly #failures = new Map<ErrorCode, number>();
  #service: string | undefined;
  #answered = 0;
  #failed = 0;
  #cancelled = 0;
  #retries = 0;
  #replays = 0;
  #hedges = 0;
  #fallbacks = 0;
  #lastError: LastError | undefined;
  #signIn: { readonly state: SignInState | 'unknown'; readonly expiresAt?: number | undefined } = {
    state: 'unknown',
  };

  /** The bridge has the sign-in; else a token of the client's own is the matter. */
  #hasSignIn = false;

  constructor(profile: string, at: number) {
    this.profile = profile;
    this.#firstSeen = at;
  }

  /** Nobody uses it any more. */
  get isQuiet(): boolean {
    return this.#clients.size === 0 && this.#sessions.size === 0;
  }

  take(observed: Observed): void {
    const { at, labels, event } = observed;
    switch (event.type) {
      case 'request.settled':
        this.#settled(event, at);
        return;
      case 'session.state':
        this.#learn(event, at);
        this.#session(observed)?.take(observed);
        if (event.state === 'SHUTDOWN') this.#sessions.delete(labels.session ?? '');
        return;
      case 'session.handshake':
      case 'session.route':
        this.#session(observed)?.take(observed);
        return;
      case 'request.retried':
        this.#retries += 1;
        if (event.progress !== 'not-sent') this.#replays += 1;
        return;
      case 'request.hedged':
        this.#hedges += 1;
        return;
      case 'request.fallback':
        this.#fallbacks += 1;
        return;
      case 'client.attached':
        this.#service = event.service.slice(0, MAX_TEXT);
        if (this.#clients.size < MAX_CLIENTS)
          this.#clients.set(labels.client ?? '', { at, name: undefined, version: undefined });
        return;
      case 'client.introduced': {
        const client = this.#clients.get(labels.client ?? '');
        if (client === undefined) return;
        client.name = event.name.slice(0, 80);
        client.version = event.version.slice(0, 40);
        return;
      }
      case 'client.detached':
      case 'bridge.closed':
        this.#clients.delete(labels.client ?? '');
        return;
      case 'sign-in.state':
        this.#signIn = event;
        this.#hasSignIn = true;
        return;
      case 'session.health':
      case 'session.restored':
      case 'client.bad-line':
      case 'upstream.dropped':
      case 'upstream.listen':
      case 'sign-in.page':
      case 'pool.session':
      case 'config.changed':
      case 'daemon.state':
    }
  }

  snapshot(now: number): ProfileStatus {
    const sessions = [...this.#sessions.values()];
    const rank = (session: SessionRecord): number => BY_CONCERN.indexOf(session.state);
    const worst = sessions.toSorted((a, b) => rank(a) - rank(b) || b.since - a.since)[0];
    const ailing = sessions.filter((session) => !session.isWell).toSorted((a, b) => rank(a) - rank(b));
    const fallback = sessions.find(({ route }) => route === 'per-request');
    const isHealthy = ailing.length === 0 && this.#signIn.state !== 'needed';
    const shown = worst ?? new SessionRecord('', this.#firstSeen);
    return {
      profile: this.profile,
      service: this.#service ?? null,
      health: isHealthy ? 'healthy' : 'degraded',
      advice: isHealthy
        ? null
        : (this.#signInAdvice ?? ailing[0]?.advice ?? ERROR_KINDS.ERR_AUTH_REQUIRED.remedy),
      state: shown.state,
      since: iso(shown.since),
      reason: shown.reason,
      nextTryAt: iso(shown.nextTryAt),
      route: fallback === undefined ? 'session' : 'per-request',
      routeReason: fallback?.routeReason ?? null,
      revision: worst?.revision ?? sessions.find(({ revision }) => revision !== undefined)?.revision ?? null,
      sessionSince: iso(shown.sessionSince),
      sessions: sessions.map((session) => session.snapshot()),
      clients: [...this.#clients].map(([id, { at, name, version }]) => {
        return { id, name: name ?? null, version: version ?? null, attachedAt: iso(at) };
      }),
      requests: {
        total: this.#answered + this.#failed + this.#cancelled,
        answered: this.#answered,
        failed: this.#failed,
        cancelled: this.#cancelled,
        failures: Object.fromEntries(this.#failures),
        retries: this.#retries,
        replays: this.#replays,
        hedges: this.#hedges,
        fallbacks: this.#fallbacks,
      },
      latency: this.#latencyStatus(now),
      lastError: this.#lastError ?? null,
      signIn: { state: this.#signIn.state, expiresAt: iso(this.#signIn.expiresAt) },
    };
  }

  #settled({ method, ms, outcome }: Settled, at: number): void {
    switch (outcome) {
      case 'answered':
        this.#answered += 1;
        this.#latency.record(ms);
        this.#window.record(at, ms);
        return;
      case 'cancelled':
        this.#cancelled += 1;
        return;
      default:
        this.#failed += 1;
        this.#failures.set(outcome, (this.#failures.get(outcome) ?? 0) + 1);
        this.#note(at, outcome, `${method.slice(0, 80)} failed after ${Math.round(ms)} ms.`);
    }
  }

  /** What a session's state says about the service. */
  #learn(event: Extract<BridgeEvent, { type: 'session.state' }>, at: number): void {
    if (event.code !== undefined) this.#note(at, event.code, event.reason.slice(0, MAX_TEXT));
    if (event.code === 'ERR_AUTH_REQUIRED') this.#signIn = { state: 'needed' };
    else if (event.state === 'READY' && this.#signIn.state !== 'signed-in')
      this.#signIn = { state: 'none-needed' };
  }

  get #signInAdvice(): string | undefined {
    if (this.#signIn.state !== 'needed' || !this.#hasSignIn) return undefined;
    const service = this.#service;
    // A profile that was made from a URL has its host for a name.
    const isUrl = service !== undefined && URL.parse(service)?.host === this.profile;
    return `Run \`mcp-bridge login ${isUrl ? service : this.profile}\`; the running bridge takes it up by itself.`;
  }

  #note(at: number, code: ErrorCode, message: string): void {
    this.#lastError = { at: iso(at), code, message, remedy: ERROR_KINDS[code].remedy };
  }

  #session({ at, labels }: Observed): SessionRecord | undefined {
    const id = labels.session ?? '';
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    if (this.#sessions.size >= MAX_SESSIONS) return undefined;
    const session = new SessionRecord(id, at);
    this.#sessions.set(id, session);
    return session;
  }

  #latencyStatus(now: number): LatencyStatus {
    const recent = this.#window.merged(now);
    const inWindow = recent.reduce((sum, count) => sum + count, 0);
    const counts = inWindow > 0 ? recent : this.#latency.counts;
    const at = (q: number): number | null => rounded(quantile(counts, q));
    return {
      window: inWindow > 0 ? '5m' : 'all',
      count: inWindow > 0 ? inWindow : this.#latency.count,
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      trend: this.#window.medians(now).map((ms) => rounded(ms ?? undefined)),
    };
  }
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : round(ms);
}
