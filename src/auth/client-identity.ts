// Who the bridge is to an authorization server: a client that was registered beforehand, one whose id is the URL of its document
// (CIMD), or one that registers itself now (RFC 7591), in this order.

import { isHttpsUrl, registerClient } from '@modelcontextprotocol/sdk/client/auth.js';
import { AuthError, quoted } from './auth-error.ts';
import type { Fetch } from './guarded-fetch.ts';
import type { ServerMetadata } from './server-metadata.ts';
import { refusalAware } from './refusal.ts';

export interface ClientIdentity {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** As registered; undefined lets the server's document decide. */
  readonly clientAuthMethod?: string;
}

export interface ClientWishes {
  /** Registered beforehand, by somebody else. */
  readonly known?: ClientIdentity | undefined;
  /** Where the client's document lies, for servers that take such a URL as the id. */
  readonly documentUrl?: string | undefined;
}

export type IdentityPlan =
  | { readonly kind: 'known'; readonly identity: ClientIdentity }
  | { readonly kind: 'document'; readonly identity: ClientIdentity }
  | { readonly kind: 'register' }
  | { readonly kind: 'none' };

/** Pure. */
export function planIdentity({ known, documentUrl }: ClientWishes, metadata: ServerMetadata): IdentityPlan {
  if (known !== undefined) return { kind: 'known', identity: known };
  const takesDocuments = metadata.client_id_metadata_document_supported === true;
  if (takesDocuments && documentUrl !== undefined && isHttpsUrl(documentUrl))
    return { kind: 'document', identity: { clientId: documentUrl, clientAuthMethod: 'none' } };
  return metadata.registration_endpoint === undefined ? { kind: 'none' } : { kind: 'register' };
}

export interface RegistrationRequest {
  readonly redirectUri: string | undefined;
  readonly grantTypes: readonly string[];
  readonly scope: string | undefined;
}

/** @throws AuthError */
export async function identify(
  wishes: ClientWishes,
  metadata: ServerMetadata,
  request: RegistrationRequest,
  fetch: Fetch,
): Promise<ClientIdentity> {
  const plan = planIdentity(wishes, metadata);
  switch (plan.kind) {
    case 'known':
    case 'document':
      return plan.identity;
    case 'register':
      return register(metadata, request, fetch);
    case 'none':
      throw new AuthError(
        'ERR_AUTH_NOT_OFFERED',
        `The authorization server ${quoted(metadata.issuer)} does not let programs register themselves.`,
        { remedy: 'Ask the people who run the service for a client id, and give it with --client-id.' },
      );
  }
}

async function register(
  metadata: ServerMetadata,
  { redirectUri, grantTypes, scope }: RegistrationRequest,
  fetch: Fetch,
): Promise<ClientIdentity> {
  const clientMetadata = {
    client_name: 'mcp-bridge',
    redirect_uris: redirectUri === undefined ? [] : [redirectUri],
    grant_types: [...grantTypes],
    response_types: redirectUri === undefined ? [] : ['code'],
    token_endpoint_auth_method: 'none',
    // What may redirect to this machine, on any port (OpenID Connect Registration, section 2).
    application_type: 'native',
  };
  const registered = await refusalAware(fetch, (wrapped) =>
    registerClient(metadata.issuer, {
      metadata,
      clientMetadata,
      ...(scope !== undefined && { scope }),
      fetchFn: wrapped,
    }),
  );
  const { client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: method } = registered;
  return {
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(method !== undefined && { clientAuthMethod: method }),
  };
}
