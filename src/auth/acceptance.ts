// Whether the service takes the token that was just given: looked at while the person still has the page before them.

import { AuthError } from './auth-error.ts';
import type { Fetch } from './guarded-fetch.ts';
import { probe } from './probe.ts';

export interface AskedService {
  readonly service: URL;
  /** The profile's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
}

/**
 * The scopes that the service wants beyond what the token has, separated by spaces.
 * @throws AuthError where it does not take the token
 */
export async function scopesWantedBeyond(
  token: string,
  { service, headers, fetch }: AskedService,
): Promise<string | undefined> {
  try {
    const answer = await probe(service, headers, fetch, token);
    if (answer.kind !== 'challenged') return undefined;
    if (answer.status === 403) return answer.challenge.scope;
  } catch {
    // The service is away; that says nothing of the token.
    return undefined;
  }
  throw new AuthError('ERR_AUTH_REFUSED', `${service.host} does not take the token.`);
}
