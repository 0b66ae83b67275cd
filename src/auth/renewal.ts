// Renews a sign-in at its authorization server, whose document is looked up once. A file of its own in the bundle, because few
// launches need it and it brings the SDK along.

import type { Clock } from '../platform/clock.ts';
import { createGuardedFetch, type Fetch } from './guarded-fetch.ts';
import type { Renew } from './renewing.ts';
import { refresh } from './refresh.ts';
import { rulesFor } from './safe-url.ts';
import type { ServerMetadata } from './server-metadata.ts';

export interface RenewalOptions {
  readonly service: URL;
  readonly allowHttp: boolean;
  readonly clock: Clock;
  /** The way out. */
  readonly fetch: Fetch;
}

export function createRenewal({ service, allowHttp, clock, fetch: send }: RenewalOptions): Renew {
  const rules = rulesFor(service, allowHttp);
  const fetch = createGuardedFetch({ rules, clock, fetch: send });
  let known: { readonly issuer: string; readonly metadata: ServerMetadata | undefined } | undefined;
  return async (signIn) => {
    const metadata = known?.issuer === signIn.issuer ? known.metadata : undefined;
    const result = await refresh(signIn, { fetch, rules, clock, metadata });
    if (result.kind === 'ok') {
      known = { issuer: signIn.issuer, metadata: result.metadata };
      return { kind: 'renewed', access: result.access, signIn: result.signIn };
    }
    // Its document may have changed.
    known = undefined;
    return result.isOver ? { kind: 'refused' } : { kind: 'away', message: result.message };
  };
}
