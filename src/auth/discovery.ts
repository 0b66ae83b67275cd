// From a service's URL to who signs people in for it: the challenge, the service's own document (RFC 9728), and the document of
// the authorization server that it names. Owns the order of the questions.

import { checkResourceAllowed } from '@modelcontextprotocol/sdk/shared/auth-utils.js';
import { OAuthProtectedResourceMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { OAuthProtectedResourceMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import { AuthError, quoted } from './auth-error.ts';
import type { Challenge } from './challenge.ts';
import { jsonOf } from './guarded-fetch.ts';
import { probe } from './probe.ts';
import { checkUrl } from './safe-url.ts';
import {
  defaultMetadata,
  findServerMetadata,
  isSameIssuer,
  type ServerMetadata,
  type Surroundings,
} from './server-metadata.ts';

export interface Discovered {
  readonly metadata: ServerMetadata;
  /** As the service spells it; undefined where it has no document and so knows no resources (2025-03-26). */
  readonly resource?: string;
  /** What the service calls itself, unchecked. */
  readonly resourceName?: string;
  readonly scopes: {
    readonly challenge: string | undefined;
    readonly resource: readonly string[] | undefined;
    readonly server: readonly string[] | undefined;
  };
}

export type Discovery =
  | ({ readonly kind: 'found' } & Discovered)
  /** The service takes requests as they are. */
  | { readonly kind: 'not-needed' };

/** @throws AuthError */
export async function discover(
  service: URL,
  headers: Readonly<Record<string, string>>,
  around: Surroundings,
): Promise<Discovery> {
  const answer = await probe(service, headers, around.fetch);
  const challenge: Challenge = answer.kind === 'challenged' ? answer.challenge : {};
  const document = await findResourceMetadata(service, challenge, around);
  if (document === undefined && answer.kind !== 'challenged') {
    if (answer.kind === 'open') return { kind: 'not-needed' };
    const message = `${service.host} answers with HTTP ${answer.status}, and does not say how to sign in.`;
    throw new AuthError('ERR_AUTH_NOT_OFFERED', message, { remedy: 'Check that the URL is right.' });
  }
  const issuer = document?.authorization_servers?.[0];
  const metadata =
    issuer === undefined ? await metadataOfOrigin(service, around) : await findServerMetadata(issuer, around);
  if (metadata === undefined) {
    const message = `The authorization server ${quoted(issuer ?? '')} has no document that says how to sign in.`;
    throw new AuthError('ERR_AUTH_BAD_ANSWER', message);
  }
  return {
    kind: 'found',
    metadata,
    ...(document !== undefined && { resource: document.resource }),
    ...(document?.resource_name !== undefined && { resourceName: quoted(document.resource_name) }),
    scopes: {
      challenge: challenge.scope,
      resource: document?.scopes_supported,
      server: metadata.scopes_supported,
    },
  };
}

/** The places of RFC 9728 in the order of the MCP specification: the challenge's, below the path, at the root. Pure. */
export function resourceMetadataUrls(service: URL, challenge: Challenge): string[] {
  const path = service.pathname.replace(/\/$/, '');
  const wellKnown = `${service.origin}/.well-known/oauth-protected-resource`;
  const named = challenge.resourceMetadata === undefined ? [] : [challenge.resourceMetadata];
  return [...new Set([...named, `${wellKnown}${path}${service.search}`, wellKnown])];
}

async function findResourceMetadata(
  service: URL,
  challenge: Challenge,
  { fetch, rules }: Surroundings,
): Promise<OAuthProtectedResourceMetadata | undefined> {
  for (const text of resourceMetadataUrls(service, challenge)) {
    const url = checkUrl(text, "the address of the service's document", rules);
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    if (response.status >= 500)
      throw new AuthError('ERR_AUTH_UNREACHABLE', `${url.host} answers with HTTP ${response.status}.`);
    const json = response.ok ? await jsonOf(response) : undefined;
    if (json === undefined) continue;
    const parsed = OAuthProtectedResourceMetadataSchema.safeParse(json);
    if (!parsed.success) {
      const where = quoted(parsed.error.issues[0]?.path.join('.') ?? '');
      const isUnsafe = where.startsWith('authorization_servers');
      const message = `The document of ${service.host} that says how to sign in cannot be used (${where}).`;
      throw new AuthError(isUnsafe ? 'ERR_AUTH_UNSAFE' : 'ERR_AUTH_BAD_ANSWER', message);
    }
    // RFC 9728, section 3.3: else a service could ask for tokens that are meant for another one.
    if (!checkResourceAllowed({ requestedResource: service, configuredResource: parsed.data.resource })) {
      const message = `The document of ${service.host} is about another service, ${quoted(parsed.data.resource)}.`;
      throw new AuthError('ERR_AUTH_UNSAFE', message);
    }
    return parsed.data;
  }
  return undefined;
}

/** The rule of 2025-03-26: the service's origin signs people in itself. */
async function metadataOfOrigin(service: URL, around: Surroundings): Promise<ServerMetadata> {
  return (await findServerMetadata(service.origin, around, 'origin')) ?? defaultMetadata(service.origin);
}

/** What belongs to an issuer that was found before. @throws AuthError */
export async function lookUpIssuer(issuer: string, around: Surroundings): Promise<ServerMetadata> {
  const found = await findServerMetadata(issuer, around);
  if (found !== undefined) return found;
  const ofOrigin = await metadataOfOrigin(new URL(issuer), around);
  if (isSameIssuer(ofOrigin.issuer, issuer)) return ofOrigin;
  throw new AuthError(
    'ERR_AUTH_BAD_ANSWER',
    `The authorization server ${quoted(issuer)} has no document any more.`,
  );
}
