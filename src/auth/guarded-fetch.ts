// The way to authorization servers and their documents: a fetch that trusts nobody. Each URL is checked, each body is bounded and
// read here, each request ends in time, and no redirect is followed blindly. What an answer means is for others.

import type { Clock } from '../platform/clock.ts';
import { NetworkError } from '../platform/network/network-error.ts';
import { isUnknownIssuer } from '../platform/network/trust.ts';
import { AuthError } from './auth-error.ts';
import { checkUrl, type UrlRules } from './safe-url.ts';

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface GuardOptions {
  readonly rules: UrlRules;
  readonly clock: Clock;
  /** The way out: proxies, authorities and client certificates are its matter. */
  readonly fetch?: Fetch;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
/** Real documents take some kilobytes. */
const MAX_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;
const MAX_CAUSES = 5;
const TRUST_REMEDY =
  'Nobody that this machine trusts has signed its certificate. In a company network, name the file of its own authority: the setting caFile, or the variable NODE_EXTRA_CA_CERTS.';

/**
 * Its calls reject with nothing but AuthError. A GET follows redirects within its origin; any other redirect comes back as it is.
 */
export function createGuardedFetch(options: GuardOptions): Fetch {
  const send = sender(options);
  return async (target, init = {}) => {
    let url = new URL(target);
    for (let hops = 0; ; hops += 1) {
      const response = await send(url, init);
      const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
      const to = next === null ? null : URL.parse(next, url);
      const mayFollow = (init.method ?? 'GET') === 'GET' && to?.origin === url.origin && hops < MAX_REDIRECTS;
      if (!mayFollow) return response;
      url = to;
    }
  };
}

function sender(options: GuardOptions): (url: URL, init: RequestInit) => Promise<Response> {
  const { rules, clock, timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options;
  const send = options.fetch ?? globalThis.fetch;
  return async (url, init) => {
    checkUrl(url.href, 'the address', rules);
    const limit = new AbortController();
    const timer = clock.after(timeoutMs, () => limit.abort());
    const signals = [limit.signal, options.signal, init.signal].filter((each) => each != null);
    try {
      const signal = AbortSignal.any(signals);
      const response = await send(url, { ...init, redirect: 'manual', credentials: 'omit', signal });
      const body = await readBody(response, maxBytes, url);
      const { status, statusText, headers } = response;
      return new Response(mayHaveBody(status) ? body : null, { status, statusText, headers });
    } catch (error) {
      throw explained(error, url, options.signal?.aborted === true, limit.signal.aborted);
    } finally {
      timer.cancel();
    }
  };
}

const mayHaveBody = (status: number): boolean => status !== 204 && status !== 205 && status !== 304;

async function readBody(response: Response, maxBytes: number, url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // A stream may have no end, and no document is one.
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
    void response.body?.cancel().catch(() => {});
    return new Uint8Array();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  const isTooLong = (): boolean =>
    size > maxBytes || Number(response.headers.get('content-length')) > maxBytes;
  if (reader === undefined) return new Uint8Array();
  for (;;) {
    if (isTooLong()) {
      // Nobody waits for the end of it.
      void reader.cancel().catch(() => {});
      const most = `${Math.round(maxBytes / 1024)} KiB`;
      throw new AuthError(
        'ERR_AUTH_BAD_ANSWER',
        `${url.host} sent more than ${most}, which no such document needs.`,
      );
    }
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function explained(error: unknown, url: URL, isOver: boolean, isLate: boolean): AuthError {
  if (error instanceof AuthError) return error;
  if (isOver) return new AuthError('ERR_AUTH_ABANDONED', 'The sign-in was ended.', { cause: error });
  if (isLate)
    return new AuthError('ERR_AUTH_UNREACHABLE', `${url.host} did not answer in time.`, { cause: error });
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    const message = `${url.host} sent more header text than any answer needs.`;
    return new AuthError('ERR_AUTH_BAD_ANSWER', message, { cause: error });
  }
  const remedy = isUnknownIssuer(code) ? { remedy: TRUST_REMEDY } : {};
  const message = wayTrouble(error) ?? `${url.host} cannot be reached (${code}).`;
  return new AuthError('ERR_AUTH_UNREACHABLE', message, { cause: error, ...remedy });
}

/** What is wrong on the way there, as with a proxy or a file of certificates. */
function wayTrouble(error: unknown): string | undefined {
  return chain(error).find((each) => each instanceof NetworkError)?.message;
}

/** The innermost reason that has a code: fetch wraps what its connection said. */
function codeOf(error: unknown): string {
  const codes = chain(error).flatMap((each) =>
    'code' in each && typeof each.code === 'string' ? [each.code] : [],
  );
  return codes.at(-1) ?? 'unknown';
}

/** The error and its causes, outermost first. */
function chain(error: unknown): Error[] {
  const found: Error[] = [];
  for (let each = error; each instanceof Error && found.length < MAX_CAUSES; each = each.cause)
    found.push(each instanceof AggregateError && each.errors[0] instanceof Error ? each.errors[0] : each);
  return found;
}

/** The JSON of an answer; undefined where it is something else, a web page for example. */
export async function jsonOf(response: Response): Promise<unknown> {
  if (!/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(response.headers.get('content-type') ?? ''))
    return undefined;
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
