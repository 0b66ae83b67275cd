// `fetch` over the same ways as the requests to a service, for what sign-in asks of others.

import { fetch as fetchWithUndici, type RequestInit as UndiciInit } from 'undici';
import { agentFor } from './connector.ts';
import type { Network } from './network.ts';

export type NetworkFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** @param timeoutMs for making a connection */
export function fetchFor(network: Network | undefined, timeoutMs: number): NetworkFetch {
  const dispatcher = agentFor(network, timeoutMs);
  // undici's own, because the one that is built into Node.js takes no agent of another version of undici. What both return is
  // the same but for the names of their types.
  return (url, init) => fetchWithUndici(url, { ...(init as unknown as UndiciInit), dispatcher });
}
