// What an authorization server's endpoint says when it says no (RFC 6749, section 5.2), told from what is no answer of such a
// server at all. The SDK keeps only some of the codes, so they are read before it sees the answer.

import { AuthError, quoted } from './auth-error.ts';
import { jsonOf, type Fetch } from './guarded-fetch.ts';

/** A well-formed no. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** As `invalid_grant`. */
  readonly error: string;
  readonly host: string;
  /** HTTP, below 500. */
  readonly status: number;

  constructor(error: string, description: string, host: string, status: number) {
    super(description);
    this.error = error;
    this.host = host;
    this.status = status;
  }
}

/** RFC 6749, section 5.2; RFC 8707, section 2; and what some add where the person may not get in any more. */
const FINAL_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
]);
/** RFC 6749 has 400 and 401; some servers answer 403. */
const FINAL_STATUSES = new Set([400, 401, 403]);

/** Whether the same request would be refused ever after. What stands in the way may answer in JSON with an `error` too. Pure. */
export function isFinal({ error, status }: Refusal): boolean {
  return FINAL_ERRORS.has(error) && FINAL_STATUSES.has(status);
}

/** Rejects with Refusal or AuthError where the answer is not a JSON document with a good status. */
function withRefusals(fetch: Fetch): Fetch {
  return async (url, init) => {
    const { host } = new URL(url);
    const response = await fetch(url, init);
    const { status } = response;
    const text = await response.clone().text();
    const json = await jsonOf(response);
    if (response.ok && json !== undefined) return rebuilt(text, response);
    const error = errorOf(json);
    if (error !== undefined && status < 500) throw new Refusal(error.code, error.description, host, status);
    if (status >= 500 || status === 429)
      throw new AuthError('ERR_AUTH_UNREACHABLE', `${host} answers with HTTP ${status}.`);
    const what = response.ok ? 'something that is no JSON' : `HTTP ${status}`;
    throw new AuthError('ERR_AUTH_BAD_ANSWER', `${host} answers the sign-in with ${what}.`);
  };
}

const rebuilt = (text: string, { status, headers }: Response): Response =>
  new Response(text, { status, headers });

function errorOf(json: unknown): { code: string; description: string } | undefined {
  if (typeof json !== 'object' || json === null || !('error' in json) || typeof json.error !== 'string')
    return undefined;
  const description = 'error_description' in json ? json.error_description : undefined;
  return {
    code: quoted(json.error),
    description: typeof description === 'string' ? quoted(description) : '',
  };
}

/** Asks for a document at such an endpoint. Rejects as above. */
export async function requestJson(fetch: Fetch, url: string, init: RequestInit): Promise<unknown> {
  return (await withRefusals(fetch)(url, init)).json();
}

/** Runs a function of the SDK over such a fetch. Rejects with AuthError, whatever goes wrong. */
export async function refusalAware<T>(fetch: Fetch, call: (wrapped: Fetch) => Promise<T>): Promise<T> {
  try {
    return await call(withRefusals(fetch));
  } catch (error) {
    throw asAuthError(error);
  }
}

/** The same, but a Refusal passes, for who can make something of its code. */
export async function passingRefusals<T>(fetch: Fetch, call: (wrapped: Fetch) => Promise<T>): Promise<T> {
  try {
    return await call(withRefusals(fetch));
  } catch (error) {
    throw error instanceof Refusal ? error : asAuthError(error);
  }
}

/** Total. */
export function asAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  if (!(error instanceof Refusal)) {
    const message = 'The authorization server answers with something that cannot be used.';
    return new AuthError('ERR_AUTH_BAD_ANSWER', message, { cause: error });
  }
  const why = error.message === '' ? error.error : `${error.error}: ${error.message}`;
  if (error.status === 408 || error.status === 429) {
    const busy = `${error.host} answers with HTTP ${error.status} (${why}).`;
    return new AuthError('ERR_AUTH_UNREACHABLE', busy, { cause: error });
  }
  const message = `${error.host} refuses the sign-in (${why}).`;
  switch (error.error) {
    case 'invalid_grant':
      return new AuthError('ERR_AUTH_REVOKED', message, { cause: error });
    // Registered clients may be forgotten, or be taken back.
    case 'invalid_client':
    case 'unauthorized_client':
      return new AuthError('ERR_AUTH_REVOKED', message, { cause: error });
    case 'temporarily_unavailable':
    case 'server_error':
      return new AuthError('ERR_AUTH_UNREACHABLE', message, { cause: error });
    default:
      return new AuthError('ERR_AUTH_REFUSED', message, { cause: error });
  }
}
