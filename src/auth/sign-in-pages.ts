// Brings a person's browser to the page to sign in, because of a call of theirs that failed for want of it. At most one page is open
// for a service, in all processes together, and none is opened twice for the same want: who closes it is told in words from then on.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Observer } from '../observe/events.ts';
import { unlessAborted, type Clock } from '../platform/clock.ts';
import type { Signal } from '../platform/abort.ts';
import type { Paths } from '../platform/paths.ts';
import { takeProcessLock } from '../platform/process-lock.ts';
import { hasScreen } from './screen.ts';
import type { PageSignIn, PageSignInOptions } from './page-sign-in.ts';
import { recordFiles, type RecordFiles } from './store/places.ts';
import { storeKey, type SignInStore } from './store/store.ts';
import type { TokenSources } from './token-sources.ts';

/** How long a call that failed waits for the page to open, in milliseconds. */
const OPENING_MS = 8000;

/** `opened` just now; `open` since an earlier call. */
export type PageOffer = 'opened' | 'open';

export interface SignInPagesOptions {
  readonly paths: Pick<Paths, 'stateDir'>;
  readonly store: SignInStore;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sources: Pick<TokenSources, 'isWanted'>;
}

interface Want {
  readonly key: string;
  readonly files: RecordFiles;
  /** Names what the page is for; another sign-in, or its end, makes another one of it. */
  readonly name: string;
}

interface Attempt {
  /** Whether its page has been opened. */
  readonly opened: Promise<boolean>;
  readonly ended: Promise<void>;
}

export class SignInPages {
  readonly #options: SignInPagesOptions;
  readonly #ending = new AbortController();
  /** Of this process; one a service. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(options: SignInPagesOptions) {
    this.#options = options;
  }

  /**
   * For a call that a person has made, and that was refused with this code. Undefined where no page is open for it. Never
   * rejects.
   */
  async offer(
    profile: Profile,
    settings: Settings,
    observer: Observer,
    code: 'ERR_AUTH_REQUIRED' | 'ERR_AUTH_SCOPE',
  ): Promise<PageOffer | undefined> {
    const { env, paths, store, sources } = this.#options;
    const isAllowed = settings.openBrowser === 'on-call' && profile.headers['authorization'] === undefined;
    if (!isAllowed || this.#ending.signal.aborted || !hasScreen(env, process.platform)) return undefined;
    if (!sources.isWanted(profile, code)) return undefined;
    const key = storeKey(profile.url);
    const note = store.note(key);
    const name = `${note?.signedInAt ?? 'none'} ${note?.isRefused === true} ${code}`;
    try {
      return await this.#offer({ key, files: recordFiles(paths, key), name }, profile, settings, observer);
    } catch {
      // Where nothing can be written, one page might become many.
      return undefined;
    }
  }

  /** Ends what is open, as far as `signal` leaves time for it. */
  async close(signal: Signal): Promise<void> {
    this.#ending.abort();
    await unlessAborted(Promise.all([...this.#attempts.values()].map(({ ended }) => ended)), signal);
  }

  async #offer(
    { key, files, name }: Want,
    profile: Profile,
    settings: Settings,
    observer: Observer,
  ): Promise<PageOffer | undefined> {
    const running = this.#attempts.get(key);
    if (running !== undefined) return (await this.#inTime(running.opened)) ? 'open' : undefined;
    mkdirSync(files.markerDir, { recursive: true, mode: 0o700 });
    // Held by the system from the attempt's begin until its page is closed.
    const lock = takeProcessLock(files.pageLock);
    const isAsked = readAsked(files) === name;
    if (lock === undefined) return isAsked ? 'open' : undefined;
    if (isAsked) {
      lock.release();
      return undefined;
    }
    const { store, clock } = this.#options;
    const opened = Promise.withResolvers<boolean>();
    const ended = signInApart({
      profile,
      settings,
      store,
      key,
      clock,
      signal: this.#ending.signal,
      onOpen: () => writeFileSync(files.asked, name, { mode: 0o600 }),
      onOpened: () => {
        observer({ type: 'sign-in.page', change: 'opened', reason: 'a call wants a sign-in' });
        opened.resolve(true);
      },
    }).then((result) => {
      opened.resolve(false);
      lock.release();
      this.#attempts.delete(key);
      if (result.kind === 'signed-in')
        observer({ type: 'sign-in.page', change: 'signed-in', reason: 'in the browser' });
      else observer({ type: 'sign-in.page', change: 'failed', reason: `${result.code}: ${result.message}` });
    });
    this.#attempts.set(key, { opened: opened.promise, ended });
    return (await this.#inTime(opened.promise)) ? 'opened' : undefined;
  }

  async #inTime(opened: Promise<boolean>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.after(OPENING_MS, () => late.resolve(false));
    return Promise.race([opened, late.promise]).finally(() => timer.cancel());
  }
}

async function signInApart(options: PageSignInOptions): Promise<PageSignIn> {
  try {
    const { signInByPage } = await import('./page-sign-in.ts');
    return await signInByPage(options);
  } catch (error) {
    return {
      kind: 'failed',
      code: 'ERR_BRIDGE_INTERNAL',
      message: error instanceof Error ? error.name : '?',
    };
  }
}

function readAsked({ asked }: RecordFiles): string | undefined {
  try {
    return readFileSync(asked, 'utf8');
  } catch {
    return undefined;
  }
}
