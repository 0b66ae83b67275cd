// Asking the token endpoint: any grant, with whatever the client proves itself by. Each answer is for the issuer that the sign-in
// belongs to, and goes nowhere else.

import { fetchToken } from '@modelcontextprotocol/sdk/client/auth.js';
import { createPrivateKeyJwtAuth } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { Clock } from '../platform/clock.ts';
import { AuthError, quoted } from './auth-error.ts';
import type { ClientIdentity } from './client-identity.ts';
import type { Fetch } from './guarded-fetch.ts';
import { passingRefusals } from './refusal.ts';
import { isSameIssuer, type ServerMetadata } from './server-metadata.ts';
import type { AccessToken } from './sign-in.ts';

export interface ClientKey {
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly keyAlgorithm: string;
}

export interface TokenRequest {
  readonly metadata: ServerMetadata;
  /** The issuer that client and sign-in belong to. */
  readonly issuer: string;
  readonly client: ClientIdentity & Partial<ClientKey>;
  readonly resource: string | undefined;
  /** `grant_type` and what goes with it. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export interface Granted {
  readonly access: AccessToken;
  readonly refreshToken?: string;
}

/** Rejects with Refusal or AuthError. */
export async function requestToken(request: TokenRequest): Promise<Granted> {
  const { metadata, issuer, resource, fetch, clock } = request;
  if (!isSameIssuer(metadata.issuer, issuer)) {
    const message = `The sign-in belongs to ${quoted(issuer)} and is not shown to ${quoted(metadata.issuer)}.`;
    throw new AuthError('ERR_AUTH_UNSAFE', message);
  }
  const askedAt = clock.wallTime();
  const tokens = await passingRefusals(fetch, (wrapped) =>
    fetchToken(provider(request), metadata.issuer, {
      metadata,
      // Sent as the service spells it: some servers compare letters.
      ...(resource !== undefined && { resource: resource as unknown as URL }),
      fetchFn: wrapped,
    }),
  );
  checkTokens(tokens);
  const { access_token: token, expires_in: seconds, scope, refresh_token: refreshToken } = tokens;
  const lasts = seconds !== undefined && Number.isFinite(seconds) && seconds > 0;
  return {
    access: {
      token,
      ...(lasts && { expiresAt: askedAt + seconds * 1000 }),
      ...(scope !== undefined && { scope }),
    },
    ...(refreshToken !== undefined && { refreshToken }),
  };
}

type Provider = Parameters<typeof fetchToken>[0];

/** What the SDK asks of its caller. */
function provider({ client, params }: TokenRequest): Provider {
  const { clientId, clientSecret, clientAuthMethod, privateKey, keyAlgorithm } = client;
  const given = Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const byKey =
    privateKey === undefined || keyAlgorithm === undefined
      ? undefined
      : createPrivateKeyJwtAuth({ issuer: clientId, subject: clientId, privateKey, alg: keyAlgorithm });
  return {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => {
      return {
        client_id: clientId,
        ...(clientSecret !== undefined && { client_secret: clientSecret }),
        ...(clientAuthMethod !== undefined && { token_endpoint_auth_method: clientAuthMethod }),
      };
    },
    prepareTokenRequest: () => new URLSearchParams(given),
    ...(byKey !== undefined && { addClientAuthentication: byKey }),
    tokens: () => undefined,
    saveTokens: () => {},
    redirectToAuthorization: () => {},
    saveCodeVerifier: () => {},
    codeVerifier: () => '',
  };
}

/** What may be put into a header, and is one that the bridge can use. */
function checkTokens({ access_token: token, token_type: type }: OAuthTokens): void {
  if (type.toLowerCase() !== 'bearer') {
    const message = `The authorization server gives a token of the type ${quoted(type)}, which the bridge cannot use.`;
    throw new AuthError('ERR_AUTH_BAD_ANSWER', message);
  }
  if (!isHeaderSafe(token)) {
    const message = 'The authorization server gives a token that cannot be sent in a header.';
    throw new AuthError('ERR_AUTH_BAD_ANSWER', message);
  }
}

/** RFC 6750, section 2.1, and what real services add to it. */
export function isHeaderSafe(token: string): boolean {
  return token.length <= 32_768 && /^[\u0021-\u007e]+$/.test(token);
}
