// Where sign-ins are kept, as all others see it: one record a service.

import type { SignIn } from '../sign-in.ts';
import type { Marker } from './marker.ts';

export type StoreErrorCode =
  | 'ERR_KEYCHAIN_LOCKED'
  | 'ERR_KEYCHAIN_MISSING'
  | 'ERR_KEYCHAIN_TIMEOUT'
  | 'ERR_KEYCHAIN_FAILED'
  | 'ERR_STORE_FAILED';

export type StoreResult<T> = { readonly kind: 'ok'; readonly value: T } | StoreFailure;

/** For people: what happened and why, and what to do. */
export interface StoreFailure {
  readonly kind: 'failed';
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** Nothing is wrong with it; others had it for as long as one waits. */
  readonly isBusy?: true;
}

/** What may be done with one record while no other process can do anything with it. */
export interface SignInRecord {
  load(): Promise<StoreResult<SignIn | undefined>>;
  /** Writes back what a refresh has changed; it stays the same sign-in. */
  update(signIn: SignIn): Promise<StoreResult<void>>;
  mark(marks: Pick<Marker, 'isRefused' | 'wantedScope'>): Promise<StoreResult<void>>;
}

/** Nothing here rejects. Every call ends within some seconds, whatever the keychain does. */
export interface SignInStore {
  /**
   * What is known without asking the keychain; undefined where nothing is kept. Costs no more than reading a small file, and is
   * what was read before where that cannot be read.
   */
  note(key: string): Marker | undefined;
  load(key: string): Promise<StoreResult<SignIn | undefined>>;
  /** Whether a sign-in could be kept now: asked before a person takes the trouble. */
  check(key: string): Promise<StoreResult<void>>;
  /** A new sign-in; running bridges take it up. */
  save(key: string, signIn: SignIn): Promise<StoreResult<void>>;
  /** False where there was none. */
  remove(key: string): Promise<StoreResult<boolean>>;
  /**
   * Holds the record against all other processes while `work` runs. For what reads, asks somebody and writes: a refresh.
   * `save` and `remove` wait for it; inside of it, call those of `record` alone.
   */
  exclusively<T>(
    key: string,
    work: (record: SignInRecord) => Promise<StoreResult<T>>,
  ): Promise<StoreResult<T>>;
}

/** Names the record of a service: its origin and path, because the query may hold a key. */
export function storeKey(url: URL): string {
  return url.origin + url.pathname;
}
