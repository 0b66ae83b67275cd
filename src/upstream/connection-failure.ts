// What an exchange that brought no response, or half of one, means for its request: from the error to a code, and to what a
// person can do about it.

import { isUnknownIssuer } from '../platform/network/trust.ts';
import { NetworkError, type NetworkTrouble } from '../platform/network/network-error.ts';
import type { FailedAttempt, Progress } from '../policy/attempt.ts';
import type { ErrorCode, Failure } from '../protocol/errors.ts';

const TRUST_REMEDY =
  'Nobody that this machine trusts has signed it. In a company network, name the file of its own authority: the setting caFile, or the variable NODE_EXTRA_CA_CERTS.';

/** @param error as undici or Node.js gave it */
export function connectionFailure(error: Error, progress: 'not-sent' | 'unknown'): FailedAttempt {
  const failed = (how: Progress, code: ErrorCode, message: string, remedy?: string): FailedAttempt => {
    const failure: Failure = {
      code,
      message,
      cause: error,
      ...(remedy === undefined ? undefined : { remedy }),
    };
    return { kind: 'failed', progress: how, failure };
  };
  if (error instanceof NetworkError) {
    const { trouble } = error;
    const isProxyUntrusted =
      trouble.kind === 'proxy-unreachable' && isUnknownIssuer((error.cause as NodeJS.ErrnoException)?.code);
    const remedy = isProxyUntrusted ? TRUST_REMEDY : undefined;
    return failed(progressAt(trouble), codeOf(trouble), error.message, remedy);
  }
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  // The handshake ended there: no server has read anything that came behind it (RFC 8446 section 6.2).
  if (isRefusedCertificate(code)) {
    const message = `The service refuses the connection for want of a client certificate that it accepts (${code}).`;
    return failed('refused', 'ERR_UPSTREAM_CLIENT_CERT', message);
  }
  if (progress === 'unknown') {
    const message = `The connection to the service broke during the request (${code}).`;
    return failed(progress, 'ERR_UPSTREAM_UNREACHABLE', message);
  }
  // Node.js names certificate failures by OpenSSL's reasons or with ERR_TLS_… (nodejs.org/api/tls.html).
  if (/^ERR_(TLS|SSL)_|CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code)) {
    const message = `A secure connection to the service cannot be made (${code}).`;
    return failed(progress, 'ERR_UPSTREAM_TLS', message, isUnknownIssuer(code) ? TRUST_REMEDY : undefined);
  }
  return failed(progress, 'ERR_UPSTREAM_UNREACHABLE', `The service cannot be reached (${code}).`);
}

/** Alerts of a server that wants a certificate, or another one. TLS 1.2 says only that the handshake failed. */
function isRefusedCertificate(code: string): boolean {
  return /^ERR_SSL_.*ALERT_(CERTIFICATE_\w+|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/.test(
    code,
  );
}

function codeOf({ kind }: NetworkTrouble): ErrorCode {
  switch (kind) {
    case 'proxy-auth':
      return 'ERR_PROXY_AUTH';
    case 'proxy-refused':
      return 'ERR_PROXY_REFUSED';
    case 'proxy-unreachable':
      return 'ERR_PROXY_UNREACHABLE';
    case 'behind-proxy':
      return 'ERR_UPSTREAM_UNREACHABLE';
    case 'file':
      return 'ERR_NETWORK_FILE';
  }
}

/**
 * Nothing of it was sent, ever. But to ask again and again what a proxy has refused helps nobody, and a wrong password that is
 * repeated locks accounts.
 */
function progressAt({ kind }: NetworkTrouble): Progress {
  switch (kind) {
    case 'proxy-auth':
    case 'proxy-refused':
    case 'file':
      return 'refused';
    case 'proxy-unreachable':
    case 'behind-proxy':
      return 'not-sent';
  }
}
