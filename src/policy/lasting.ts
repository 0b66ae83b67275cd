import type { ErrorCode } from '../protocol/errors.ts';

/** Failures that stay until somebody does something: waiting for the service to come back is of no use. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_AUTH_REQUIRED',
  'ERR_AUTH_FORBIDDEN',
  'ERR_AUTH_SCOPE',
  'ERR_KEYCHAIN_LOCKED',
  'ERR_KEYCHAIN_MISSING',
  'ERR_KEYCHAIN_TIMEOUT',
  'ERR_KEYCHAIN_FAILED',
  'ERR_STORE_FAILED',
  'ERR_UPSTREAM_REDIRECT',
  'ERR_UPSTREAM_CLIENT_CERT',
  'ERR_PROXY_AUTH',
  'ERR_PROXY_REFUSED',
  'ERR_NETWORK_FILE',
]);

/** Failures that may be a hiccup, and are taken to last when they come again and again. */
const LASTING_IF_REPEATED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_UPSTREAM_HTTP_STATUS',
  'ERR_UPSTREAM_BAD_ANSWER',
  'ERR_UPSTREAM_TOO_LARGE',
]);
const REPEATED = 3;

/** @param failures tries that failed in a row */
export function isLasting(code: ErrorCode, failures: number): boolean {
  return LASTING.has(code) || (failures >= REPEATED && LASTING_IF_REPEATED.has(code));
}

/** Of the lasting failures, those that a person can put right while the client runs; the others are mistakes to show at once. */
const MENDABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_AUTH_REQUIRED',
  'ERR_AUTH_SCOPE',
  'ERR_KEYCHAIN_LOCKED',
  'ERR_KEYCHAIN_MISSING',
  'ERR_KEYCHAIN_TIMEOUT',
  'ERR_KEYCHAIN_FAILED',
  'ERR_STORE_FAILED',
]);

export function isMendable(code: ErrorCode): boolean {
  return MENDABLE.has(code);
}
