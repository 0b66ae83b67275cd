// What is kept of a sign-in, and what comes of it. Shapes alone: getting one is the flows', keeping one the store's.

/** One record of a store: JSON of at most MAX_RECORD_BYTES, because Windows holds no more. */
export type SignIn = OAuthSignIn | TokenSignIn;

/** Only what cannot be derived again: the metadata of the servers is looked up anew by each process. */
export interface OAuthSignIn {
  readonly kind: 'oauth';
  /** The authorization server that all of this belongs to, and the only one that it is ever sent to. */
  readonly issuer: string;
  /** What the tokens are asked for (RFC 8707); undefined where the service has no document that names it (2025-03-26). */
  readonly resource?: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** `token_endpoint_auth_method` of the registration. */
  readonly clientAuthMethod?: string;
  /** As granted, separated by spaces. */
  readonly scope?: string;
  readonly refreshToken?: string;
  /** Kept only where the server gives no refresh token and a new one could not be had without a person. */
  readonly access?: AccessToken;
  /** For `private_key_jwt`: PKCS #8, PEM. */
  readonly privateKey?: string;
  /** JWS algorithm that goes with `privateKey`. */
  readonly keyAlgorithm?: string;
  readonly grant: 'authorization_code' | 'client_credentials' | 'device_code';
}

/** A token that somebody else made. */
export interface TokenSignIn {
  readonly kind: 'token';
  readonly token: string;
}

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since 1970, by this machine's clock; undefined where the server does not say. */
  readonly expiresAt?: number;
  readonly scope?: string;
}

export const MAX_RECORD_BYTES = 2560;
