// Which clients may share a session: those to whom the service cannot tell it apart, but for the name of the program. Owns
// the comparison alone.

import { createHash } from 'node:crypto';
import { proxyFor } from '../platform/network/network.ts';
import type { Profile } from '../config/resolve.ts';
import type { Envelope } from '../protocol/envelope.ts';

/**
 * The service, the headers that it gets, and the way to it: another certificate may be another person. As a digest: tokens
 * and the passwords of proxies are among them, and keys end up in tables.
 */
export function profileKey({ url, headers, network }: Profile): string {
  const named = Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (network === undefined) return digest(JSON.stringify([url.href, named]));
  const way = [proxyFor(url, network), network.caFiles, network.clientCert, network.clientKey];
  return digest(JSON.stringify([url.href, named, way]));
}

/** Everything of a client's `initialize` parameters but `clientInfo`, as a digest; the order of members does not matter. */
export function clientKey(initialize: Envelope): string {
  const text = initialize.bytes.toString('utf8');
  const { params } = JSON.parse(text) as { params?: unknown };
  try {
    if (!isRecord(params)) return digest(canonical(params));
    const { clientInfo: _, ...rest } = params;
    return digest(canonical(rest));
  } catch {
    // Nested too deep to be walked: then it is shared by those who write the very same.
    return digest(text);
  }
}

/** JSON text that is the same for equal values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
