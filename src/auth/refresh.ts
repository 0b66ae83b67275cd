// A fresh access token from what is kept of a sign-in: one exchange with the authorization server. When to ask, who may ask, and
// where the outcome is kept is the token source's matter.

import type { Clock } from '../platform/clock.ts';
import { AuthError, type AuthErrorCode } from './auth-error.ts';
import { lookUpIssuer } from './discovery.ts';
import type { Fetch } from './guarded-fetch.ts';
import { asAuthError, isFinal, Refusal } from './refusal.ts';
import type { UrlRules } from './safe-url.ts';
import type { ServerMetadata } from './server-metadata.ts';
import type { AccessToken, OAuthSignIn } from './sign-in.ts';
import { requestToken } from './token-request.ts';

export interface RefreshParts {
  /** A guarded one (guarded-fetch.ts). */
  readonly fetch: Fetch;
  readonly rules: UrlRules;
  readonly clock: Clock;
  /** Of the sign-in's issuer, where it is known already. */
  readonly metadata?: ServerMetadata | undefined;
}

export type Refreshed =
  | {
      readonly kind: 'ok';
      readonly access: AccessToken;
      /** To be kept in place of the old one before the token is used: its refresh token may have been replaced. */
      readonly signIn: OAuthSignIn;
      /** May be used again for the same issuer. */
      readonly metadata: ServerMetadata | undefined;
    }
  | {
      readonly kind: 'failed';
      /** Only a person can help; else it may work later. */
      readonly isOver: boolean;
      readonly code: AuthErrorCode;
      readonly message: string;
      readonly remedy: string;
    };

/** Never rejects. */
export async function refresh(signIn: OAuthSignIn, parts: RefreshParts): Promise<Refreshed> {
  try {
    return await exchange(signIn, parts);
  } catch (error) {
    const { code, message, remedy } = asAuthError(error);
    const isOver = error instanceof Refusal ? isFinal(error) : code === 'ERR_AUTH_REVOKED';
    return { kind: 'failed', isOver, code, message, remedy };
  }
}

async function exchange(signIn: OAuthSignIn, parts: RefreshParts): Promise<Refreshed> {
  const { fetch, clock } = parts;
  const params = paramsOf(signIn);
  if (params === undefined) {
    const access = signIn.access;
    const isGood =
      access !== undefined && (access.expiresAt === undefined || access.expiresAt > clock.wallTime());
    if (isGood) return { kind: 'ok', access: withScope(access, signIn), signIn, metadata: parts.metadata };
    throw new AuthError(
      'ERR_AUTH_REVOKED',
      'The sign-in has ended, and the service offers no way to renew it.',
    );
  }
  const metadata = parts.metadata ?? (await lookUpIssuer(signIn.issuer, parts));
  const { issuer, resource, refreshToken } = signIn;
  const granted = await requestToken({ metadata, issuer, client: signIn, resource, params, fetch, clock });
  const next = granted.refreshToken ?? refreshToken;
  const keeps = signIn.grant !== 'client_credentials' && next !== undefined;
  return {
    kind: 'ok',
    access: withScope(granted.access, signIn),
    signIn: { ...signIn, ...(keeps && { refreshToken: next }) },
    metadata,
  };
}

/** A server that names no scope has granted what was asked for (RFC 6749, section 5.1): here, what was granted before. Pure. */
function withScope(access: AccessToken, { scope }: OAuthSignIn): AccessToken {
  return access.scope !== undefined || scope === undefined ? access : { ...access, scope };
}

/** Undefined where there is nothing to ask with. Pure. */
function paramsOf({
  grant,
  scope,
  refreshToken,
}: OAuthSignIn): Record<string, string | undefined> | undefined {
  if (grant === 'client_credentials') return { grant_type: 'client_credentials', scope };
  // Without `scope`: the same as was granted (RFC 6749, section 6).
  return refreshToken === undefined
    ? undefined
    : { grant_type: 'refresh_token', refresh_token: refreshToken };
}
