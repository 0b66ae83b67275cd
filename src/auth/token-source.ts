// The access token for one service in this process: had from the store when it is first needed, renewed ahead of time and when the
// service refuses it, by one at a time in this process and, under the record's lock, in all others. Asks no person for anything:
// where only one can help, it says so and waits for the store to change.

import { unlessAborted, type Clock, type Timer } from '../platform/clock.ts';
import type { Signal } from '../platform/abort.ts';
import type { Rng } from '../platform/random.ts';
import type { Observer, SignInState } from '../observe/events.ts';
import { parseChallenge } from './challenge.ts';
import { renewalDelayMs, renewalTimes } from './renewal-timing.ts';
import { Renewing, type Renew, type RenewOutcome } from './renewing.ts';
import {
  awayFailure,
  scopeFailure,
  signInFailure,
  storeTrouble,
  type SignInFailure,
  type SignInNeed,
} from './sign-in-failure.ts';
import { stepUpScope } from './scopes.ts';
import type { AccessToken } from './sign-in.ts';
import type { SignInStore } from './store/store.ts';

/** How long a store that failed is left alone, in milliseconds: asking it may open a window. */
const STORE_PAUSE_MS = 15_000;
/** A service that refuses what was just renewed causes no more renewals than this, in milliseconds. */
const FORCE_PAUSE_MS = 10_000;
/**
 * A service that has asked for a sign-in, or refused a fixed token, is asked again as before after this, in milliseconds: its 401 may
 * have been a passing fault, and nobody would sign in because of that.
 */
const ASK_AGAIN_MS = 60_000;

export interface TokenSourceOptions {
  readonly key: string;
  readonly host: string;
  /** What `mcp-bridge login` takes for it. */
  readonly loginTarget: string;
  readonly store: SignInStore;
  readonly renew: Renew;
  readonly clock: Clock;
  readonly rng: Rng;
}

type Standing =
  /** The store has not been asked. */
  | { readonly kind: 'unknown' }
  /** There is no sign-in, and the service has not asked for one. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'held';
      readonly header: string;
      readonly access: AccessToken;
      readonly renewAt: number;
      readonly usableUntil: number;
    }
  | { readonly kind: 'needed'; readonly failure: SignInFailure };

interface Told {
  readonly state: SignInState;
  readonly expiresAt?: number | undefined;
}

/** Why there is no header to go with. */
export interface NoToken {
  readonly failure: SignInFailure;
  /** Nothing changes before somebody signs in; `onChange` tells of it. */
  readonly waitsForPerson: boolean;
}

export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #renewing: Renewing;
  readonly #observers = new Map<string, Observer>();
  readonly #listeners = new Set<() => void>();
  #standing: Standing = { kind: 'unknown' };
  /** What keeps it from renewing for now. */
  #trouble: { readonly failure: SignInFailure; readonly until: number } | undefined;
  #failures = 0;
  #flight: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isUsed = false;
  #forceAgainAt = 0;
  /** Of the store's note, when it was last looked at. */
  #seen: string | undefined;
  #told: Told | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#renewing = new Renewing(options);
    this.#seen = this.#signature();
  }

  /** The header's value; undefined where requests go without. */
  get header(): string | undefined {
    return this.#standing.kind === 'held' ? this.#standing.header : undefined;
  }

  /** False where `obtain` has to be awaited before a request goes. Asked for every request. */
  get isReady(): boolean {
    const standing = this.#standing;
    if (standing.kind !== 'held') return standing.kind === 'none';
    this.#isUsed = true;
    return this.#options.clock.wallTime() < standing.usableUntil;
  }

  /** Whether only a person can help. */
  get isNeeded(): boolean {
    return this.#standing.kind === 'needed';
  }

  /** Undefined when there is a valid header, or requests may go without. */
  async obtain(signal: Signal): Promise<NoToken | undefined> {
    await this.#settle(signal);
    return this.isReady ? undefined : this.#noToken();
  }

  /** The service has answered 401 to a request with this header. Undefined when there is another one. */
  async refused(header: string | undefined, signal: Signal): Promise<NoToken | undefined> {
    // Others may have been here before.
    if (this.#hasOtherThan(header)) return undefined;
    if (this.isNeeded) return this.#noToken();
    // Where a renewal is under way, its outcome counts for all that were refused meanwhile.
    if (this.#flight !== undefined) await unlessAborted(this.#flight, signal);
    else if (!this.#isPaused) {
      const now = this.#options.clock.now();
      const isNew = header !== undefined && header === this.header && now < this.#forceAgainAt;
      if (isNew) return this.#unaccepted();
      this.#forceAgainAt = now + FORCE_PAUSE_MS;
      this.#standing = { kind: 'unknown' };
    }
    await this.#settle(signal);
    // Who has given up meanwhile knows nothing of the outcome.
    if (signal.aborted) return this.#noToken();
    if (this.#hasOtherThan(header)) return undefined;
    // It would have been renewed by now, but for what is in the way: nothing that a sign-in could mend.
    if (this.#isPaused) this.#standing = { kind: 'unknown' };
    // Also where the marker tells of a sign-in that is not there.
    else if (this.#standing.kind === 'none') this.#need('none');
    else if (this.#standing.kind === 'held' && this.header === header) this.#need('token-refused');
    return this.#noToken();
  }

  #hasOtherThan(header: string | undefined): boolean {
    return this.isReady && this.header !== undefined && this.header !== header;
  }

  /** Asks the store until it is known how things stand: once more where a token has ended, or the sign-in changed, meanwhile. */
  async #settle(signal: Signal): Promise<void> {
    for (let flights = 0; flights < 2; flights += 1) {
      if (this.isReady || this.isNeeded || this.#isPaused || signal.aborted) return;
      await unlessAborted(this.#fly(), signal);
    }
  }

  /** For a 403 with this challenge to a request with this header, as `Credentials` says. */
  scopeMissing(challenge: string, header: string | undefined): SignInFailure | 'renewed' | undefined {
    const { error, scope } = parseChallenge(challenge);
    if (error !== 'insufficient_scope') return undefined;
    // Others may have looked while the request was on its way.
    if (this.look() || this.header !== header) return 'renewed';
    const { key, store, host, loginTarget } = this.#options;
    const granted = this.#standing.kind === 'held' ? this.#standing.access.scope : undefined;
    const wantedScope = stepUpScope(granted ?? store.note(key)?.wantedScope, scope);
    if (wantedScope === undefined) return undefined;
    if (store.note(key)?.wantedScope !== wantedScope)
      void store.exclusively(key, (record) => record.mark({ wantedScope }));
    return scopeFailure(wantedScope, host, loginTarget);
  }

  /** The service has let somebody in. */
  accepted(): void {
    if (this.#standing.kind === 'none') this.#tell({ state: 'none-needed' });
  }

  /** Tells this observer of the sign-in from now on, in the place of the one that had the same name: each session brings one. */
  observe(name: string, observer: Observer): void {
    this.#observers.set(name, observer);
    if (this.#told !== undefined) observer({ type: 'sign-in.state', ...this.#told });
  }

  /** Calls `listener` when somebody has signed in or out. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The machine has slept or changed networks: what could not be reached may be reached again. */
  checkNow(): void {
    if (this.#failures > 0) this.#trouble = undefined;
    this.#failures = 0;
  }

  /** Looks whether the store holds another sign-in than before; true where it does. */
  look(): boolean {
    const signature = this.#signature();
    if (signature === this.#seen) return false;
    this.#seen = signature;
    this.#forget();
    // Somebody has signed out.
    if (signature === undefined && this.#told?.state === 'signed-in') this.#tell({ state: 'needed' });
    return true;
  }

  /** Begins anew with what the store holds, and says so. */
  #forget(): void {
    this.#timer?.cancel();
    this.#trouble = undefined;
    this.#failures = 0;
    this.#forceAgainAt = 0;
    this.#standing = { kind: 'unknown' };
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves when no renewal is under way: what it brings must not be lost. */
  settled(): Promise<void> {
    this.#timer?.cancel();
    return this.#flight ?? Promise.resolve();
  }

  get #isPaused(): boolean {
    return this.#trouble !== undefined && this.#options.clock.now() < this.#trouble.until;
  }

  #noToken(): NoToken {
    if (this.#standing.kind === 'needed') return { failure: this.#standing.failure, waitsForPerson: true };
    return this.#trouble === undefined
      ? this.#unaccepted()
      : { failure: this.#trouble.failure, waitsForPerson: false };
  }

  #unaccepted(): NoToken {
    const { host, loginTarget } = this.#options;
    return { failure: signInFailure('unaccepted', host, loginTarget), waitsForPerson: false };
  }

  #fly(): Promise<void> {
    const flight = (this.#flight ??= this.#renew().finally(() => {
      this.#flight = undefined;
    }));
    return flight;
  }

  async #renew(): Promise<void> {
    this.#timer?.cancel();
    const { key, host, store } = this.#options;
    const note = store.note(key);
    const outcome: RenewOutcome = note === undefined ? { kind: 'none' } : await this.#renewing.run(note);
    // Somebody has signed in or out meanwhile: what was brought belongs to the sign-in before.
    if (note?.signedInAt !== store.note(key)?.signedInAt) {
      this.look();
      return;
    }
    this.#trouble = undefined;
    switch (outcome.kind) {
      case 'access':
        this.#failures = 0;
        this.#hold(outcome.access, outcome.isLast === true);
        return;
      case 'none':
        this.#standing = { kind: 'none' };
        return;
      case 'refused':
        this.#seen = this.#signature();
        this.#need('refused');
        return;
      case 'away':
        this.#failures += 1;
        this.#pause(awayFailure(host, outcome.message), renewalDelayMs(this.#failures, this.#options.rng));
        return;
      case 'store':
        this.#pause(storeTrouble(outcome.failure), STORE_PAUSE_MS);
    }
  }

  /** @param isLast nothing can renew it */
  #hold(access: AccessToken, isLast: boolean): void {
    const { clock, rng } = this.#options;
    const now = clock.wallTime();
    const times = renewalTimes(now, access.expiresAt, rng);
    this.#standing = { kind: 'held', header: `Bearer ${access.token}`, access, ...times };
    this.#isUsed = false;
    if (!isLast) this.#schedule(times.renewAt - now);
    this.#tell({ state: 'signed-in', expiresAt: access.expiresAt });
  }

  /** While the token that there is may still do, it is renewed beside the requests; a later try follows one that failed. */
  #schedule(inMs: number): void {
    this.#timer?.cancel();
    if (!Number.isFinite(inMs)) return;
    this.#timer = this.#options.clock.after(Math.max(0, inMs), () => {
      // Nobody needs it: the next request has it renewed.
      if (this.#isUsed) void this.#fly();
    });
  }

  #pause(failure: SignInFailure, delayMs: number): void {
    this.#trouble = { failure, until: this.#options.clock.now() + delayMs };
    if (this.#standing.kind === 'held') this.#schedule(delayMs);
  }

  #need(need: SignInNeed): void {
    const { host, loginTarget } = this.#options;
    this.#timer?.cancel();
    this.#standing = { kind: 'needed', failure: signInFailure(need, host, loginTarget) };
    this.#tell({ state: 'needed' });
    // What the authorization server has refused stays refused.
    if (need !== 'refused') this.#timer = this.#options.clock.after(ASK_AGAIN_MS, () => this.#forget());
  }

  #tell(told: Told): void {
    if (told.state === this.#told?.state && told.expiresAt === this.#told.expiresAt) return;
    this.#told = told;
    for (const observer of this.#observers.values()) observer({ type: 'sign-in.state', ...told });
  }

  #signature(): string | undefined {
    const note = this.#options.store.note(this.#options.key);
    return note === undefined ? undefined : `${note.signedInAt} ${note.isRefused === true}`;
  }
}
