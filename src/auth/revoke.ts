// Telling the authorization server that a sign-in is over (RFC 7009).

import { clientForm } from './client-form.ts';
import { lookUpIssuer } from './discovery.ts';
import { asAuthError } from './refusal.ts';
import type { OAuthSignIn } from './sign-in.ts';
import type { Surroundings } from './server-metadata.ts';

export type Revocation =
  | { readonly kind: 'revoked' }
  /** The server has no such endpoint, or there is nothing that lasts. */
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'failed'; readonly message: string };

/** Never rejects. */
export async function revoke(signIn: OAuthSignIn, around: Surroundings): Promise<Revocation> {
  const token = signIn.refreshToken ?? signIn.access?.token;
  if (token === undefined) return { kind: 'not-offered' };
  try {
    const metadata = await lookUpIssuer(signIn.issuer, around);
    const endpoint = metadata.revocation_endpoint;
    if (endpoint === undefined) return { kind: 'not-offered' };
    const hint = signIn.refreshToken === undefined ? 'access_token' : 'refresh_token';
    const form = clientForm(signIn, metadata, { token, token_type_hint: hint });
    const response = await around.fetch(endpoint, form);
    if (response.ok) return { kind: 'revoked' };
    return { kind: 'failed', message: `${new URL(endpoint).host} answers with HTTP ${response.status}.` };
  } catch (error) {
    return { kind: 'failed', message: asAuthError(error).message };
  }
}
