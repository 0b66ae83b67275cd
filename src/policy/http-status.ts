// What an HTTP status says about the request that it answers (MCP 2025-11-25, Streamable HTTP; RFC 9110 section 15).

import type { FailedAttempt, Progress } from './attempt.ts';
import type { ErrorCode } from '../protocol/errors.ts';

export interface StatusFacts {
  /** 300 to 599, or a 2xx whose content type is of no use. */
  readonly status: number;
  /** Whether the request named a session. */
  readonly hadSession: boolean;
  /** The response's Retry-After, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The response's Server header. */
  readonly server?: string;
  /** The response's Location. */
  readonly location?: string;
}

/** The attempt's outcome for a response without a JSON-RPC message in it. */
export function classifyStatus(facts: StatusFacts): FailedAttempt {
  const { status } = facts;
  const failed = (progress: Progress, code: ErrorCode, message: string): FailedAttempt => ({
    kind: 'failed',
    progress,
    failure: { code, message },
    httpStatus: status,
    ...(facts.retryAfterMs === undefined ? undefined : { retryAfterMs: facts.retryAfterMs }),
  });
  if (status < 400) {
    const where = facts.location === undefined ? '' : ` to ${facts.location}`;
    return failed(
      'refused',
      'ERR_UPSTREAM_REDIRECT',
      `The service redirects${where} (HTTP ${status}); the bridge does not follow it there.`,
    );
  }
  switch (status) {
    case 401:
      return failed(
        'refused',
        'ERR_AUTH_REQUIRED',
        'The service wants a sign-in, or the token is no longer valid (HTTP 401).',
      );
    case 403:
      return failed(
        'refused',
        'ERR_AUTH_FORBIDDEN',
        'The service does not allow this with the present sign-in (HTTP 403).',
      );
    case 404:
      if (facts.hadSession) {
        return {
          ...failed('refused', 'ERR_SESSION_LOST', 'The service no longer knows the session (HTTP 404).'),
          sessionLost: true,
        };
      }
      return failed('refused', 'ERR_UPSTREAM_HTTP_STATUS', 'There is no MCP service at this URL (HTTP 404).');
    case 429:
      return failed('refused', 'ERR_UPSTREAM_BUSY', 'The service asks for fewer requests (HTTP 429).');
    case 503:
      // Envoy says 503 also when the service's connection broke after it had the request (response flag UC), and tells the two
      // apart only in words. A Retry-After shows that somebody meant to refuse.
      if (facts.server?.includes('envoy') === true && facts.retryAfterMs === undefined) {
        return failed(
          'unknown',
          'ERR_UPSTREAM_UNREACHABLE',
          'A proxy could not get an answer from the service (HTTP 503).',
        );
      }
      return failed('refused', 'ERR_UPSTREAM_BUSY', 'The service is not available at the moment (HTTP 503).');
    case 502:
    case 504:
      return failed(
        'unknown',
        'ERR_UPSTREAM_UNREACHABLE',
        `A proxy could not get an answer from the service (HTTP ${status}).`,
      );
    default:
      return failed(
        status < 500 ? 'refused' : 'unknown',
        'ERR_UPSTREAM_HTTP_STATUS',
        `The service answered with HTTP ${status} instead of an MCP message.`,
      );
  }
}

/**
 * Whether a refusal to go on with a stream is of the moment, so that it may be asked for again from the same event. 409: the
 * service has not noticed yet that the old stream is gone.
 */
export function isPassing(status: number): boolean {
  return status >= 500 || [408, 409, 425, 429].includes(status);
}
