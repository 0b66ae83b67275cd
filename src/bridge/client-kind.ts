import type { Envelope } from '../protocol/envelope.ts';

interface InitializeParams {
  readonly protocolVersion?: unknown;
  readonly capabilities?: unknown;
  readonly clientInfo?: { readonly name?: unknown; readonly version?: unknown } | undefined;
}

function paramsOf(initialize: Envelope): InitializeParams | undefined {
  const { params } = JSON.parse(initialize.bytes.toString('utf8')) as { params?: InitializeParams | null };
  return params ?? undefined;
}

/** The client's name for itself, as in `claude-ai`. */
export function clientName(initialize: Envelope): string | undefined {
  const name = paramsOf(initialize)?.clientInfo?.name;
  return typeof name === 'string' ? name : undefined;
}

/** The client's version as it writes it. */
export function clientVersion(initialize: Envelope): string | undefined {
  const version = paramsOf(initialize)?.clientInfo?.version;
  return typeof version === 'string' ? version : undefined;
}

/** What of a client's `initialize` a service's answers may depend on, as a key. Its version is not part of it. */
export function clientKind(initialize: Envelope): string {
  const { protocolVersion, capabilities } = paramsOf(initialize) ?? {};
  return JSON.stringify([protocolVersion, capabilities, clientName(initialize)]);
}
