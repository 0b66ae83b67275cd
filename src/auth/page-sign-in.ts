// A sign-in in the browser with nobody at a terminal: what `mcp-bridge login` does, for a bridge that runs. A file of its own in the
// bundle, because few calls need it and it brings the SDK along.

import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../platform/clock.ts';
import { fetchFor } from '../platform/network/fetch.ts';
import { scopesWantedBeyond } from './acceptance.ts';
import { AuthError } from './auth-error.ts';
import { signInByCode } from './authorization-code.ts';
import { openBrowser } from './browser.ts';
import { discover } from './discovery.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { asAuthError } from './refusal.ts';
import { rulesFor } from './safe-url.ts';
import { chooseScope } from './scopes.ts';
import type { SignInStore, StoreFailure } from './store/store.ts';

export interface PageSignInOptions {
  readonly profile: Profile;
  readonly settings: Settings;
  readonly store: SignInStore;
  /** Of the record. */
  readonly key: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called just before the browser is asked to open a page. */
  readonly onOpen: () => void;
  /** Whether somebody took the page. */
  readonly onOpened: () => void;
}

export type PageSignIn =
  | { readonly kind: 'signed-in' }
  /** For people. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Never rejects. */
export async function signInByPage(options: PageSignInOptions): Promise<PageSignIn> {
  try {
    await run(options);
    return { kind: 'signed-in' };
  } catch (error) {
    const { code, message } = asAuthError(error);
    return { kind: 'failed', code, message };
  }
}

async function run(options: PageSignInOptions): Promise<void> {
  const { profile, settings, store, key, clock, signal, onOpen, onOpened } = options;
  const { url: service, headers } = profile;
  const isKept = await store.check(key);
  if (isKept.kind === 'failed') throw unkept(isKept);
  const rules = rulesFor(service, settings.allowHttp);
  const way = fetchFor(profile.network, settings.connectTimeoutMs);
  const fetch = createGuardedFetch({ rules, clock, signal, fetch: way });
  const found = await discover(service, headers, { fetch, rules });
  if (found.kind === 'not-needed') return;
  const wanted = store.note(key)?.wantedScope;
  const scope = chooseScope({ ...(wanted !== undefined && { wanted }), ...found.scopes });
  const parts = { discovered: found, scope, client: {}, fetch, clock, signal };
  await signInByCode(parts, {
    redirectPort: 0,
    async show(url) {
      onOpen();
      if (!(await openBrowser(url)))
        throw new AuthError('ERR_AUTH_ABANDONED', 'No browser could be started.');
      onOpened();
    },
    async settle({ signIn, access }) {
      await scopesWantedBeyond(access.token, { service, headers, fetch });
      const kept = await store.save(key, signIn);
      if (kept.kind === 'failed') throw unkept(kept);
    },
  });
}

function unkept({ message, remedy }: StoreFailure): AuthError {
  return new AuthError('ERR_AUTH_ABANDONED', message, { remedy });
}
