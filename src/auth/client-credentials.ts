// Signing in without a person: the client is its own user, and proves itself by a secret or a key.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { AuthError } from './auth-error.ts';
import type { ClientIdentity } from './client-identity.ts';
import { signedIn, type FlowParts, type SignedIn } from './flow.ts';
import { asAuthError } from './refusal.ts';
import { requestToken, type ClientKey } from './token-request.ts';

export type Proof = ClientIdentity & Partial<ClientKey>;

/** @throws AuthError */
export async function signInByCredentials(parts: FlowParts, client: Proof): Promise<SignedIn> {
  const { discovered, scope } = parts;
  const { metadata, resource } = discovered;
  const params = { grant_type: 'client_credentials', scope };
  try {
    const granted = await requestToken({
      ...parts,
      metadata,
      issuer: metadata.issuer,
      client,
      resource,
      params,
    });
    return signedIn(parts, client, { access: granted.access }, 'client_credentials');
  } catch (error) {
    throw asAuthError(error);
  }
}

/** A private key of a PEM file as it is kept, with the algorithm that it is for. @throws AuthError */
export function readClientKey(pem: string): ClientKey {
  const refuse = (why: string, cause?: unknown): AuthError =>
    new AuthError('ERR_AUTH_NOT_OFFERED', `The private key cannot be used: ${why}.`, {
      cause,
      remedy:
        'Give the file of an RSA or elliptic-curve key (P-256, P-384, P-521) without a passphrase, in PEM.',
    });
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw refuse('it is no PEM, or it has a passphrase', error);
  }
  const keyAlgorithm = algorithmOf(key);
  if (keyAlgorithm === undefined) throw refuse(`it is of the type ${key.asymmetricKeyType ?? 'unknown'}`);
  return { privateKey: key.export({ type: 'pkcs8', format: 'pem' }), keyAlgorithm };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'rsa') return 'RS256';
  if (asymmetricKeyType !== 'ec') return undefined;
  const curves: Readonly<Record<string, string>> = {
    prime256v1: 'ES256',
    secp384r1: 'ES384',
    secp521r1: 'ES512',
  };
  return curves[asymmetricKeyDetails?.namedCurve ?? ''];
}
