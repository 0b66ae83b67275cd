// Every error that the bridge itself gives to a client: its code, and what a person or a model can do about it.
// docs/errors.md explains each; a test keeps the two lists equal.

/** JSON-RPC 2.0, section 5.1. */
const RpcCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  internalError: -32603,
  /** In the server range; `data.code` says what it is. */
  bridge: -32050,
} as const;

interface ErrorKind {
  readonly rpcCode: number;
  /** Whether the same request may succeed later without anything being changed. */
  readonly retryable: boolean;
  readonly remedy: string;
}

const CHECK_SERVICE = 'Check that the service is up and that the URL is right, then try again.';
const CHECK_OUTCOME = 'Check whether it took effect before you try it again.';
const TELL_SERVICE = 'Tell the people who run the service; this is a fault on its side.';

export const ERROR_KINDS = {
  ERR_CLIENT_NOT_JSON: {
    rpcCode: RpcCode.parseError,
    retryable: false,
    remedy: 'Send one JSON-RPC message a line, as UTF-8.',
  },
  ERR_CLIENT_INVALID_REQUEST: {
    rpcCode: RpcCode.invalidRequest,
    retryable: false,
    remedy: 'Send a JSON-RPC 2.0 message.',
  },
  ERR_CLIENT_LINE_TOO_LONG: {
    rpcCode: RpcCode.invalidRequest,
    retryable: false,
    remedy: 'Send less in one message, or raise the setting maxLineBytes.',
  },
  ERR_CLIENT_DUPLICATE_ID: {
    rpcCode: RpcCode.invalidRequest,
    retryable: false,
    remedy: 'Give each request in flight an id of its own.',
  },
  ERR_CLIENT_NOT_INITIALIZED: {
    rpcCode: RpcCode.invalidRequest,
    retryable: false,
    remedy: 'Send `initialize` first.',
  },
  ERR_CLIENT_BATCH_UNSUPPORTED: {
    rpcCode: RpcCode.invalidRequest,
    retryable: false,
    remedy: 'Send the messages one by one: only protocol revision 2025-03-26 has batches.',
  },
  ERR_CLIENT_METHOD_UNKNOWN: {
    rpcCode: RpcCode.methodNotFound,
    retryable: false,
    remedy: 'Use `initialize`.',
  },
  ERR_CLIENT_TOO_MANY_REQUESTS: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Wait for answers before you send more, or raise the setting maxInFlight.',
  },
  ERR_UPSTREAM_UNREACHABLE: { rpcCode: RpcCode.bridge, retryable: true, remedy: CHECK_SERVICE },
  ERR_UPSTREAM_TLS: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: "Check the service's certificate, and whether a proxy on the way replaces it.",
  },
  ERR_UPSTREAM_CLIENT_CERT: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy:
      'Name the file of your certificate and that of its key (the settings clientCert and clientKey), or ask the people who run the service for another.',
  },
  ERR_UPSTREAM_OUTCOME_UNKNOWN: { rpcCode: RpcCode.bridge, retryable: false, remedy: CHECK_OUTCOME },
  ERR_UPSTREAM_TIMEOUT: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Try again; if it stays so, raise the time limit in the settings.',
  },
  ERR_UPSTREAM_HTTP_STATUS: { rpcCode: RpcCode.bridge, retryable: false, remedy: CHECK_SERVICE },
  ERR_UPSTREAM_BUSY: { rpcCode: RpcCode.bridge, retryable: true, remedy: 'Wait a moment, then try again.' },
  ERR_UPSTREAM_REDIRECT: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Put the address that the service redirects to into the configuration, if you trust it.',
  },
  ERR_UPSTREAM_BAD_ANSWER: { rpcCode: RpcCode.bridge, retryable: false, remedy: TELL_SERVICE },
  ERR_UPSTREAM_TOO_LARGE: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Ask for less at once, or raise the setting maxBodyBytes or maxEventBytes.',
  },
  ERR_UPSTREAM_NO_ANSWER: { rpcCode: RpcCode.bridge, retryable: true, remedy: 'Try again.' },
  ERR_SESSION_LOST: { rpcCode: RpcCode.bridge, retryable: true, remedy: 'Try again.' },
  ERR_PROXY_UNREACHABLE: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy:
      'Check that this machine is in the network that the proxy belongs to, and the setting proxy or the variables HTTPS_PROXY and HTTP_PROXY.',
  },
  ERR_PROXY_AUTH: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy:
      'Put the right user name and password into the URL in the variable MCP_BRIDGE_PROXY or HTTPS_PROXY, then restart the client.',
  },
  ERR_PROXY_REFUSED: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy:
      'Ask the people who run the network to let the service through, or name its host in NO_PROXY where it needs no proxy.',
  },
  ERR_NETWORK_FILE: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Correct the setting, or put the file in its place; it is read again at the next try.',
  },
  ERR_AUTH_REQUIRED: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Give the bridge a valid token, then try again.',
  },
  ERR_AUTH_FORBIDDEN: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Ask the people who run the service for access.',
  },
  ERR_AUTH_SCOPE: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Sign in anew, with the scopes that the service asks for, then try again.',
  },
  ERR_AUTH_UNREACHABLE: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Try again in a moment; the bridge keeps trying by itself.',
  },
  ERR_KEYCHAIN_LOCKED: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Unlock the keychain, then try again.',
  },
  ERR_KEYCHAIN_MISSING: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Start the keychain, sign in with --insecure-storage, or give a token in MCP_BRIDGE_TOKEN.',
  },
  ERR_KEYCHAIN_TIMEOUT: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Look whether the keychain waits for you in a window, then try again.',
  },
  ERR_KEYCHAIN_FAILED: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: "Look into the keychain's own program whether mcp-bridge may use it.",
  },
  ERR_STORE_FAILED: {
    rpcCode: RpcCode.bridge,
    retryable: true,
    remedy: 'Look whether the state folder can be written to, then sign in anew.',
  },
  ERR_CONFIG_INVALID: {
    rpcCode: RpcCode.bridge,
    retryable: false,
    remedy: 'Correct that, then try again.',
  },
  ERR_BRIDGE_SHUTDOWN: { rpcCode: RpcCode.bridge, retryable: true, remedy: 'Start the bridge again.' },
  ERR_BRIDGE_INTERNAL: {
    rpcCode: RpcCode.internalError,
    retryable: false,
    remedy: 'Report this as a bug in mcp-bridge.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** What went wrong, before it is known whom to tell. */
export interface Failure {
  readonly code: ErrorCode;
  /** One or two sentences: what happened, and why. No secrets, no payload. */
  readonly message: string;
  readonly cause?: unknown;
  /** When the trouble began, ISO 8601. */
  readonly since?: string;
  /** Instead of the code's usual one. */
  readonly remedy?: string;
}

/**
 * The line that answers a request with an error.
 * @param id the request's id as it is written, or `null`
 */
export function errorReply(id: string | null, failure: Failure): Buffer {
  const kind: ErrorKind = ERROR_KINDS[failure.code];
  const remedy = failure.remedy ?? kind.remedy;
  const error = {
    code: kind.rpcCode,
    message: `${failure.message} ${remedy}`,
    data: { code: failure.code, retryable: kind.retryable, since: failure.since, remedy },
  };
  return Buffer.from(`{"jsonrpc":"2.0","id":${id ?? 'null'},"error":${JSON.stringify(error)}}`);
}

/** A fault of the bridge's own. */
export function internalFailure(error: unknown): Failure {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: 'ERR_BRIDGE_INTERNAL',
    message: `The bridge failed on this request (${what}).`,
    cause: error,
  };
}
