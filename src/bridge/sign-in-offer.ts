// What a person is told whose call failed for want of a sign-in, once it is known whether a page is open for it. A call is made by a
// person; launches, probes and lists are not, and open nothing.

import type { Failure } from '../protocol/errors.ts';

/** Whether a page to sign in was opened just now, or is open already. Never rejects. */
export type OfferSignIn = (
  want: 'ERR_AUTH_REQUIRED' | 'ERR_AUTH_SCOPE',
) => Promise<'opened' | 'open' | undefined>;

/** The failure as it is, but for one that a sign-in would mend. */
export async function explainOffer(failure: Failure, offer: OfferSignIn | undefined): Promise<Failure> {
  const { code, message } = failure;
  if (code !== 'ERR_AUTH_REQUIRED' && code !== 'ERR_AUTH_SCOPE') return failure;
  const offered = await offer?.(code);
  if (offered === undefined) return failure;
  const when = offered === 'opened' ? 'has just been opened' : 'is open already';
  return {
    ...failure,
    message: `${message} A page to sign in ${when} in the browser on this machine.`,
    remedy: 'Sign in there, then try again.',
  };
}
