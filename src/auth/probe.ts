// One question to the service: do you want a token, and do you take this one? Opens no session that it does not end.

import { parseChallenge, type Challenge } from './challenge.ts';
import type { Fetch } from './guarded-fetch.ts';

export type ProbeAnswer =
  /** 401 or 403. */
  | { readonly kind: 'challenged'; readonly status: number; readonly challenge: Challenge }
  | { readonly kind: 'open' }
  | { readonly kind: 'other'; readonly status: number };

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'mcp-bridge-login', version: '1.0.0' },
  },
});

/**
 * @param headers the profile's; an `authorization` among them is left out, because it is what is about to be replaced
 * @throws AuthError
 */
export async function probe(
  service: URL,
  headers: Readonly<Record<string, string>>,
  fetch: Fetch,
  token?: string,
): Promise<ProbeAnswer> {
  const { authorization: _replaced, ...kept } = headers;
  const own: Record<string, string> = {
    ...kept,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const accept = 'application/json, text/event-stream';
  const response = await fetch(service, {
    method: 'POST',
    headers: { ...own, 'content-type': 'application/json', accept },
    body: INITIALIZE,
  });
  const session = response.headers.get('mcp-session-id');
  if (session !== null) {
    const ended = { method: 'DELETE', headers: { ...own, 'mcp-session-id': session } };
    await fetch(service, ended).catch(() => undefined);
  }
  const { status } = response;
  if (status !== 404 && status !== 405) return judge(response);
  // As services of 2024-11-05 answer, which are asked with GET.
  return judge(await fetch(service, { headers: { ...own, accept: 'text/event-stream' } }));
}

function judge(response: Response): ProbeAnswer {
  const { status, ok } = response;
  if (status !== 401 && status !== 403) return ok ? { kind: 'open' } : { kind: 'other', status };
  return { kind: 'challenged', status, challenge: parseChallenge(response.headers.get('www-authenticate')) };
}
