import type { ErrorCode } from '../protocol/errors.ts';

/** Failures that stay until somebody does something: waiting for the service to come back is of no use. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_AUTH_REQUIRED',
  'ERR_AUTH_FORBIDDEN',
  'ERR_UPSTREAM_HTTP_STATUS',
  'ERR_UPSTREAM_REDIRECT',
  'ERR_UPSTREAM_BAD_ANSWER',
  'ERR_UPSTREAM_TOO_LARGE',
  'ERR_UPSTREAM_TLS',
]);

export function isLasting(code: ErrorCode): boolean {
  return LASTING.has(code);
}
