// What the ways to sign in have in common: what they are given, and what they come to.

import type { Clock } from '../platform/clock.ts';
import type { ClientIdentity, ClientWishes } from './client-identity.ts';
import type { Discovered } from './discovery.ts';
import type { Fetch } from './guarded-fetch.ts';
import type { AccessToken, OAuthSignIn } from './sign-in.ts';
import type { ClientKey, Granted } from './token-request.ts';

export interface FlowParts {
  readonly discovered: Discovered;
  /** Already chosen; undefined asks for none. */
  readonly scope: string | undefined;
  readonly client: ClientWishes;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SignedIn {
  readonly signIn: OAuthSignIn;
  readonly access: AccessToken;
}

/** What is to be kept, from what was granted. Pure. */
export function signedIn(
  { discovered, scope }: Pick<FlowParts, 'discovered' | 'scope'>,
  { clientId, clientSecret, clientAuthMethod, privateKey, keyAlgorithm }: ClientIdentity & Partial<ClientKey>,
  { access, refreshToken }: Granted,
  grant: OAuthSignIn['grant'],
): SignedIn {
  const granted = access.scope ?? scope;
  const signIn: OAuthSignIn = {
    kind: 'oauth',
    issuer: discovered.metadata.issuer,
    ...(discovered.resource !== undefined && { resource: discovered.resource }),
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(clientAuthMethod !== undefined && { clientAuthMethod }),
    ...(granted !== undefined && { scope: granted }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshToken === undefined && grant !== 'client_credentials' && { access }),
    ...(privateKey !== undefined && { privateKey }),
    ...(keyAlgorithm !== undefined && { keyAlgorithm }),
    grant,
  };
  return { signIn, access };
}
