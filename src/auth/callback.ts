// What a request on the loopback address means: the answer to the question that was asked, or a stranger's. Pure.

import { timingSafeEqual } from 'node:crypto';
import { AuthError, quoted } from './auth-error.ts';

export interface Expected {
  readonly state: string;
  /** As the server's document spells it. */
  readonly issuer: string;
  /** `authorization_response_iss_parameter_supported` (RFC 9207). */
  readonly issuerIsSent: boolean;
}

export type CallbackVerdict =
  | { readonly kind: 'code'; readonly code: string }
  /** Without the state that only the one who was asked knows: of no account, and the sign-in goes on waiting. */
  | { readonly kind: 'stranger' }
  /** An answer that ends the sign-in. */
  | { readonly kind: 'failed'; readonly error: AuthError };

const MAX_CODE_LENGTH = 8192;

export function judgeCallback(params: URLSearchParams, expected: Expected): CallbackVerdict {
  const names = [...params.keys()];
  if (new Set(names).size !== names.length || !isEqual(params.get('state') ?? '', expected.state))
    return { kind: 'stranger' };
  // Before anything else is believed: an error of a wrong issuer is as wrong as a code of it (RFC 9207, section 2.4).
  const issuer = params.get('iss');
  if (issuer === null ? expected.issuerIsSent : issuer !== expected.issuer) {
    const who = issuer === null ? 'nobody, though it promises to name itself' : quoted(issuer);
    const message = `The answer to the sign-in comes from ${who}, and should come from ${quoted(expected.issuer)}.`;
    return { kind: 'failed', error: new AuthError('ERR_AUTH_UNSAFE', message) };
  }
  const error = params.get('error');
  if (error !== null) return { kind: 'failed', error: refusalOf(error, params.get('error_description')) };
  const code = params.get('code');
  if (code !== null && code !== '' && code.length <= MAX_CODE_LENGTH) return { kind: 'code', code };
  const message = 'The authorization server sent the browser back without a code.';
  return { kind: 'failed', error: new AuthError('ERR_AUTH_BAD_ANSWER', message) };
}

function refusalOf(error: string, description: string | null): AuthError {
  const why =
    description === null || description === '' ? '' : ` (${quoted(description).replace(/\.$/, '')})`;
  if (error === 'access_denied') return new AuthError('ERR_AUTH_REFUSED', `The sign-in was declined${why}.`);
  const isAway = error === 'temporarily_unavailable' || error === 'server_error';
  const message = `The authorization server ends the sign-in with ${quoted(error)}${why}.`;
  return new AuthError(isAway ? 'ERR_AUTH_UNREACHABLE' : 'ERR_AUTH_REFUSED', message);
}

/** Takes as long for a near miss as for a wild guess. */
function isEqual(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
