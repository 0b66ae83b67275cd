// What a response that did not bring the answer means for its call.

import type { AttemptOutcome, FailedAttempt } from '../policy/attempt.ts';
import type { ResponseResult, StreamEnd } from './response-reader.ts';
import type { Wire } from './wire.ts';

export const UNKNOWN_SESSION: FailedAttempt = {
  kind: 'failed',
  progress: 'refused',
  failure: { code: 'ERR_SESSION_LOST', message: 'The service no longer knows the session (HTTP 400).' },
  httpStatus: 400,
  sessionLost: true,
};

/** Many services say so, instead of 404, when they do not know a session; and for other reasons too. */
export function isBadRequest(result: ResponseResult): boolean {
  return (result.kind === 'refused' || result.kind === 'rpc-error') && result.code === 400;
}

/**
 * An outcome, a stream to go on with, or waiting on.
 * @param progress of the call
 * @param resumed the stream that this response went on with; undefined for the response to the request itself
 */
export function judgeResponse(
  result: ResponseResult,
  wire: Wire,
  progress: 'not-sent' | 'unknown',
  resumed: StreamEnd | undefined,
): AttemptOutcome | StreamEnd | 'wait' {
  switch (result.kind) {
    case 'accepted':
      return wire.answersOnListen ? 'wait' : unanswered('The service took the request but sent no answer.');
    case 'ended':
    case 'broken': {
      // A stream that brought no event id, or none yet, goes on from where the one before it was.
      const stream: StreamEnd = {
        lastEventId: result.stream?.lastEventId ?? resumed?.lastEventId,
        retryMs: result.stream?.retryMs ?? resumed?.retryMs,
      };
      if (stream.lastEventId !== undefined) return stream;
      if (result.kind === 'broken') return result.failed;
      return wire.answersOnListen ? 'wait' : unanswered('The service ended its response without the answer.');
    }
    case 'rpc-error':
      if (result.status.sessionLost === true) return result.status;
      return { kind: 'answered', message: result.message, httpStatus: result.code };
    case 'refused': {
      if (resumed === undefined) return result.status;
      const message = 'The service ended its response early and would not resume it.';
      return { ...unanswered(message), httpStatus: result.code };
    }
    case 'aborted':
      return { kind: 'aborted', progress };
  }
}

function unanswered(message: string): FailedAttempt {
  return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_NO_ANSWER', message } };
}
