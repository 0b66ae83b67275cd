// One renewal under the record's lock: read the record again, ask the authorization server, write back what it has changed. What
// cannot be written is kept and written later, because a refresh token that was used may never be used again.

import type { Clock, Timer } from '../platform/clock.ts';
import type { AccessToken, OAuthSignIn, SignIn } from './sign-in.ts';
import type { Marker } from './store/marker.ts';
import type { SignInRecord, SignInStore, StoreFailure, StoreResult } from './store/store.ts';

export type Renewed =
  | { readonly kind: 'renewed'; readonly access: AccessToken; readonly signIn: OAuthSignIn }
  /** For good: only a new sign-in helps. */
  | { readonly kind: 'refused' }
  /** It may work later. For people. */
  | { readonly kind: 'away'; readonly message: string };

/** Asks the authorization server. Never rejects; ends in time. */
export type Renew = (signIn: OAuthSignIn) => Promise<Renewed>;

export type RenewOutcome =
  /** `isLast` where it cannot be renewed. */
  | { readonly kind: 'access'; readonly access: AccessToken; readonly isLast?: boolean }
  | { readonly kind: 'none' }
  | Exclude<Renewed, { kind: 'renewed' }>
  | { readonly kind: 'store'; readonly failure: StoreFailure };

export interface RenewingOptions {
  readonly key: string;
  readonly store: SignInStore;
  readonly renew: Renew;
  readonly clock: Clock;
}

/** The wait before a write that failed is tried again, in milliseconds; longer each time, because a locked keychain may open a window. */
const SAVE_AGAIN_MS = 2000;
const SAVE_AGAIN_MAX_MS = 300_000;

export class Renewing {
  readonly #options: RenewingOptions;
  /** What should be in the store in the place of the sign-in with the refresh token `instead`. */
  #unsaved: { readonly instead: string | undefined; readonly signIn: OAuthSignIn } | undefined;
  #failedWrites = 0;
  #again: Timer | undefined;

  constructor(options: RenewingOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async run(note: Marker): Promise<RenewOutcome> {
    if (note.isRefused === true) return { kind: 'refused' };
    const { key, store } = this.#options;
    // Nothing is written where a person has given the token.
    const result: StoreResult<RenewOutcome> =
      note.kind === 'token'
        ? asToken(await store.load(key))
        : await store.exclusively(key, (record) => this.#renew(record));
    if (result.kind === 'ok') return result.value;
    // They wait for the authorization server, most likely.
    return result.isBusy ? { kind: 'away', message: result.message } : { kind: 'store', failure: result };
  }

  async #renew(record: SignInRecord): Promise<StoreResult<RenewOutcome>> {
    const loaded = await record.load();
    if (loaded.kind === 'failed') return loaded;
    const stored = loaded.value;
    if (stored?.kind !== 'oauth') return asToken(loaded);
    const known = this.#unsaved;
    const unsaved = known?.instead === stored.refreshToken ? known?.signIn : undefined;
    const renewed = await this.#options.renew(unsaved ?? stored);
    switch (renewed.kind) {
      case 'renewed':
        await this.#write(record, stored, renewed.signIn);
        return ok({ kind: 'access', access: renewed.access, isLast: renewed.signIn.access !== undefined });
      case 'refused':
        await record.mark({ isRefused: true });
        return ok(renewed);
      case 'away':
        return ok(renewed);
    }
  }

  async #write(record: SignInRecord, stored: OAuthSignIn, next: OAuthSignIn): Promise<void> {
    const isSame = JSON.stringify(stored) === JSON.stringify(next);
    const written = isSame ? ok(undefined) : await record.update(next);
    this.#unsaved = written.kind === 'ok' ? undefined : { instead: stored.refreshToken, signIn: next };
    if (this.#unsaved === undefined) this.#failedWrites = 0;
    else this.#saveLater();
  }

  #saveLater(): void {
    this.#again?.cancel();
    const waitMs = Math.min(SAVE_AGAIN_MS * 2 ** this.#failedWrites, SAVE_AGAIN_MAX_MS);
    this.#failedWrites += 1;
    this.#again = this.#options.clock.after(waitMs, () => void this.#saveAgain());
  }

  async #saveAgain(): Promise<void> {
    const { key, store } = this.#options;
    if (this.#unsaved === undefined) return;
    const looked = await store.exclusively(key, async (record) => {
      const loaded = await record.load();
      if (loaded.kind === 'failed') return loaded;
      const unsaved = this.#unsaved;
      if (unsaved === undefined) return ok(undefined);
      // Somebody has signed in anew, or it was written after all.
      const isStale = loaded.value?.kind !== 'oauth' || loaded.value.refreshToken !== unsaved.instead;
      if (isStale) this.#unsaved = undefined;
      else await this.#write(record, loaded.value, unsaved.signIn);
      return ok(undefined);
    });
    // Another process may have the record, or the state folder may be full.
    if (looked.kind === 'failed') this.#saveLater();
  }
}

function asToken(loaded: StoreResult<SignIn | undefined>): StoreResult<RenewOutcome> {
  if (loaded.kind === 'failed') return loaded;
  const signIn = loaded.value;
  return ok(
    signIn?.kind === 'token' ? { kind: 'access', access: { token: signIn.token } } : { kind: 'none' },
  );
}

function ok<T>(value: T): StoreResult<T> {
  return { kind: 'ok', value };
}
