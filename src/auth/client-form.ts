// A form to an endpoint that wants to know which client it is: what the SDK does for the token endpoint, for the others.

import { selectClientAuthMethod } from '@modelcontextprotocol/sdk/client/auth.js';
import type { ClientIdentity } from './client-identity.ts';
import type { ServerMetadata } from './server-metadata.ts';

/** Pure. */
export function clientForm(
  { clientId, clientSecret, clientAuthMethod }: ClientIdentity,
  metadata: ServerMetadata,
  fields: Readonly<Record<string, string | undefined>>,
): RequestInit {
  const given = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const body = new URLSearchParams(given);
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  const info = {
    client_id: clientId,
    ...(clientSecret !== undefined && { client_secret: clientSecret }),
    ...(clientAuthMethod !== undefined && { token_endpoint_auth_method: clientAuthMethod }),
  };
  const method = selectClientAuthMethod(info, metadata.token_endpoint_auth_methods_supported ?? []);
  if (method === 'client_secret_basic' && clientSecret !== undefined) {
    headers['authorization'] = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  } else {
    body.set('client_id', clientId);
    if (clientSecret !== undefined) body.set('client_secret', clientSecret);
  }
  return { method: 'POST', headers, body };
}
