// Signing in on another device (RFC 8628): the person types a short code into a browser anywhere, and the bridge asks until it counts.

import { sleep } from '../platform/clock.ts';
import { AuthError, quoted } from './auth-error.ts';
import { clientForm } from './client-form.ts';
import { identify, type ClientIdentity } from './client-identity.ts';
import { signedIn, type FlowParts, type SignedIn } from './flow.ts';
import { asAuthError, Refusal, requestJson } from './refusal.ts';
import { checkUrl, type UrlRules } from './safe-url.ts';
import { requestToken, type Granted } from './token-request.ts';

export interface DevicePrompt {
  /** To be opened anywhere. */
  readonly url: URL;
  /** The same with the code in it, where the server offers that. */
  readonly completeUrl: URL | undefined;
  readonly userCode: string;
  readonly minutes: number;
}

export interface DeviceFlowOptions {
  readonly rules: UrlRules;
  readonly show: (prompt: DevicePrompt) => void;
}

interface Started extends DevicePrompt {
  readonly deviceCode: string;
  readonly intervalMs: number;
  readonly lastsMs: number;
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const DEFAULT_INTERVAL_S = 5;
/** RFC 8628, section 3.5: each `slow_down` adds this. */
const SLOW_DOWN_MS = 5000;
const MAX_INTERVAL_MS = 60_000;
/** A person at two devices needs no longer. */
const MAX_LIFETIME_S = 1800;

/** @throws AuthError */
export async function signInByDevice(parts: FlowParts, options: DeviceFlowOptions): Promise<SignedIn> {
  const { discovered, scope, fetch } = parts;
  const { metadata } = discovered;
  const endpoint = metadata.device_authorization_endpoint;
  if (endpoint === undefined) {
    const message = `The authorization server ${quoted(metadata.issuer)} offers no sign-in on another device.`;
    const remedy = 'Leave --device out, and sign in with a browser on this machine.';
    throw new AuthError('ERR_AUTH_NOT_OFFERED', message, { remedy });
  }
  const request = { redirectUri: undefined, grantTypes: [GRANT, 'refresh_token'], scope };
  const client = await identify(parts.client, metadata, request, fetch);
  const started = await start(parts, client, endpoint, options.rules);
  options.show(started);
  const granted = await poll(parts, client, started);
  return signedIn(parts, client, granted, 'device_code');
}

async function start(
  { discovered: { metadata, resource }, scope, fetch }: FlowParts,
  client: ClientIdentity,
  endpoint: string,
  rules: UrlRules,
): Promise<Started> {
  const form = clientForm(client, metadata, { client_id: client.clientId, scope, resource });
  try {
    return readStart(await requestJson(fetch, endpoint, form), rules);
  } catch (error) {
    throw asAuthError(error);
  }
}

/** Pure. @throws AuthError */
export function readStart(json: unknown, rules: UrlRules): Started {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value === 'string' && value !== '' && value.length <= 4096) return value;
    const message = `The authorization server begins a sign-in on another device without ${name.replaceAll('_', ' ')}.`;
    throw new AuthError('ERR_AUTH_BAD_ANSWER', message);
  };
  const seconds = (name: string, otherwise: number): number => {
    const value = fields[name];
    return typeof value === 'number' && value > 0 ? value : otherwise;
  };
  const complete = fields['verification_uri_complete'];
  const lastsMs = Math.min(seconds('expires_in', MAX_LIFETIME_S), MAX_LIFETIME_S) * 1000;
  return {
    deviceCode: text('device_code'),
    userCode: quoted(text('user_code')),
    url: checkUrl(text('verification_uri'), 'the address for the code', rules),
    completeUrl:
      typeof complete === 'string' ? checkUrl(complete, 'the address for the code', rules) : undefined,
    intervalMs: Math.min(seconds('interval', DEFAULT_INTERVAL_S) * 1000, MAX_INTERVAL_MS),
    lastsMs,
    minutes: Math.max(1, Math.round(lastsMs / 60_000)),
  };
}

async function poll(parts: FlowParts, client: ClientIdentity, started: Started): Promise<Granted> {
  const { discovered, clock, signal } = parts;
  const { metadata, resource } = discovered;
  const until = clock.now() + started.lastsMs;
  const params = { grant_type: GRANT, device_code: started.deviceCode };
  let { intervalMs } = started;
  while (clock.now() < until) {
    if (!(await sleep(clock, intervalMs, signal)))
      throw new AuthError('ERR_AUTH_ABANDONED', 'The sign-in was ended.');
    try {
      return await requestToken({ ...parts, metadata, issuer: metadata.issuer, client, resource, params });
    } catch (error) {
      const next = judgePoll(error, intervalMs);
      if (next instanceof AuthError) throw next;
      intervalMs = next;
    }
  }
  throw new AuthError('ERR_AUTH_ABANDONED', 'Nobody typed the code in while it was good.');
}

/** How long to wait until the next question, or what ends them. Pure. */
export function judgePoll(error: unknown, intervalMs: number): number | AuthError {
  if (error instanceof Refusal) {
    if (error.error === 'authorization_pending') return intervalMs;
    if (error.error === 'slow_down') return Math.min(intervalMs + SLOW_DOWN_MS, MAX_INTERVAL_MS);
    if (error.error === 'access_denied')
      return new AuthError('ERR_AUTH_REFUSED', 'The sign-in was declined.');
    if (error.error === 'expired_token')
      return new AuthError('ERR_AUTH_ABANDONED', 'Nobody typed the code in while it was good.');
  }
  const known = asAuthError(error);
  // RFC 8628, section 3.5: a connection that fails is tried again, later each time.
  return known.code === 'ERR_AUTH_UNREACHABLE' ? Math.min(intervalMs * 2, MAX_INTERVAL_MS) : known;
}
