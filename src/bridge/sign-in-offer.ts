// What a person is told whose call failed for want of a sign-in, once it is known whether a page is open for it. A call is made by a
// person; launches, probes and lists are not, and open nothing.

import type { Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import type { Reply } from './dispatch.ts';

/** Whether a page to sign in was opened just now, or is open already. Never rejects. */
export type OfferSignIn = (
  want: 'ERR_AUTH_REQUIRED' | 'ERR_AUTH_SCOPE',
) => Promise<'opened' | 'open' | undefined>;

/** The reply as it is, but for a call that wants a sign-in. */
export function withOffer(
  { method }: Envelope,
  offer: OfferSignIn | undefined,
  replied: Promise<Reply>,
): Promise<Reply> {
  if (method !== 'tools/call' || offer === undefined) return replied;
  return replied.then(async (reply) =>
    reply.kind === 'error' ? { ...reply, failure: await explainOffer(reply.failure, offer) } : reply,
  );
}

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
