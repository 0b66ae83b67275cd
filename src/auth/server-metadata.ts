// An authorization server's own document (RFC 8414, OpenID Connect Discovery): found, checked, and held to its name. What is in it
// decides where codes and tokens go, so nothing of it is used before it is checked.

import { buildDiscoveryUrls } from '@modelcontextprotocol/sdk/client/auth.js';
import { OAuthMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { AuthorizationServerMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import { AuthError, quoted } from './auth-error.ts';
import { jsonOf, type Fetch } from './guarded-fetch.ts';
import { checkUrl, type UrlRules } from './safe-url.ts';

/** The SDK's shape, with what it does not name. Every URL in it has been checked. */
export type ServerMetadata = AuthorizationServerMetadata & {
  readonly device_authorization_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly client_id_metadata_document_supported?: boolean;
};

export interface Surroundings {
  readonly fetch: Fetch;
  readonly rules: UrlRules;
}

const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'device_authorization_endpoint',
  'revocation_endpoint',
] as const;

/**
 * The document of this issuer, at the first of the places that the MCP specification lists; undefined where it has none.
 * @throws AuthError
 */
export async function findServerMetadata(
  issuer: string,
  { fetch, rules }: Surroundings,
  holdTo: NameRule = 'issuer',
): Promise<ServerMetadata | undefined> {
  const base = checkUrl(issuer, 'the authorization server', rules);
  for (const { url } of buildDiscoveryUrls(base)) {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    if (response.status >= 500 || response.status === 429)
      throw new AuthError('ERR_AUTH_UNREACHABLE', `${url.host} answers with HTTP ${response.status}.`);
    // Many servers answer every path with a page of theirs; that is no document.
    const json = response.ok ? await jsonOf(response) : undefined;
    if (json !== undefined) return checkMetadata(json, issuer, rules, holdTo);
  }
  return undefined;
}

/**
 * The name that a document must have: the issuer's own, or any of its origin. The latter for services of 2025-03-26, which name no
 * issuer: there the origin is all that is known, and its own document may call it by another path.
 */
export type NameRule = 'issuer' | 'origin';

/** @throws AuthError */
export function checkMetadata(
  json: unknown,
  issuer: string,
  rules: UrlRules,
  holdTo: NameRule = 'issuer',
): ServerMetadata {
  const parsed = OAuthMetadataSchema.safeParse(json);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    const message = `The document of the authorization server ${quoted(issuer)} cannot be used (${quoted(where)}).`;
    const code = ENDPOINTS.some((name) => name === where) ? 'ERR_AUTH_UNSAFE' : 'ERR_AUTH_BAD_ANSWER';
    throw new AuthError(code, message, { cause: parsed.error });
  }
  const metadata: Record<string, unknown> = parsed.data;
  // RFC 8414, section 3.3: else one server could speak in the name of another.
  const isOfOrigin = holdTo === 'origin' && URL.parse(parsed.data.issuer)?.origin === new URL(issuer).origin;
  if (!isOfOrigin && !isSameIssuer(parsed.data.issuer, issuer)) {
    const names = `${quoted(parsed.data.issuer)}, not ${quoted(issuer)}`;
    throw new AuthError(
      'ERR_AUTH_UNSAFE',
      `The document of the authorization server says that it is ${names}.`,
    );
  }
  for (const name of ENDPOINTS) {
    const value = metadata[name];
    if (value === undefined) continue;
    const what = `the ${name.replaceAll('_', ' ')} of ${quoted(issuer)}`;
    if (typeof value !== 'string') throw new AuthError('ERR_AUTH_BAD_ANSWER', `${what} is no text.`);
    checkUrl(value, what, rules);
  }
  return metadata as unknown as ServerMetadata;
}

/** A final slash does not matter, nor how host and port are spelt. */
export function isSameIssuer(a: string, b: string): boolean {
  const plain = (text: string): string => (URL.parse(text)?.href ?? text).replace(/\/$/, '');
  return plain(a) === plain(b);
}

/**
 * What the revision of 2025-03-26 says of a service whose origin has no document: these paths, and PKCE for everyone.
 * See docs/adr/0031-pkce-without-metadata.md.
 */
export function defaultMetadata(origin: string): ServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
}

/** @throws AuthError where the server does not say that it can do PKCE with S256 */
export function requirePkce({ issuer, code_challenge_methods_supported: methods }: ServerMetadata): void {
  if (methods?.includes('S256') === true) return;
  const message = `The authorization server ${quoted(issuer)} does not say that it protects the sign-in with PKCE (S256).`;
  throw new AuthError('ERR_AUTH_UNSAFE', message);
}
