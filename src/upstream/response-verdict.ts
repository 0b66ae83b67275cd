// What a response that did not bring the answer means for its call.

import type { AttemptOutcome, FailedAttempt } from '../policy/attempt.ts';
import { isPassing } from '../policy/http-status.ts';
import type { ResponseResult, StreamEnd } from './response-reader.ts';
import type { Wire } from './wire.ts';

export const UNKNOWN_SESSION: FailedAttempt = {
  kind: 'failed',
  progress: 'refused',
  failure: { code: 'ERR_SESSION_LOST', message: 'The service no longer knows the session (HTTP 400).' },
  httpStatus: 400,
  sessionLost: true,
};

export const LOST: FailedAttempt = {
  kind: 'failed',
  progress: 'unknown',
  failure: { code: 'ERR_SESSION_LOST', message: 'The service no longer knows the session.' },
  sessionLost: true,
};

export const OTHERS_ANSWER: FailedAttempt = {
  kind: 'failed',
  progress: 'unknown',
  failure: {
    code: 'ERR_UPSTREAM_BAD_ANSWER',
    message: 'The service answered with the id of another request.',
  },
};

export const SESSION_OVER: FailedAttempt = {
  kind: 'failed',
  progress: 'not-sent',
  failure: { code: 'ERR_SESSION_LOST', message: 'The session with the service is over.' },
  sessionLost: true,
};

export const STOPPED: FailedAttempt = {
  kind: 'failed',
  progress: 'unknown',
  failure: { code: 'ERR_BRIDGE_SHUTDOWN', message: 'The bridge was stopped.' },
};

export const STREAM_ENDED: FailedAttempt = {
  ...LOST,
  failure: { code: 'ERR_SESSION_LOST', message: 'The stream that carries the session has ended.' },
};

const IS_UNUSABLE: ReadonlySet<string> = new Set(['ERR_UPSTREAM_BAD_ANSWER', 'ERR_UPSTREAM_TOO_LARGE']);

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
      // What came cannot be used, and the same would come again.
      if (result.kind === 'broken' && IS_UNUSABLE.has(result.failed.failure.code)) return result.failed;
      // A stream that brought no event id, or none yet, goes on from where the one before it was.
      const stream: StreamEnd = {
        lastEventId: result.stream?.lastEventId ?? resumed?.lastEventId,
        retryMs: result.stream?.retryMs ?? resumed?.retryMs,
      };
      if (stream.lastEventId !== undefined) return stream;
      // Only the first response can fail before the request was sent; a resumption that does says nothing of that.
      if (result.kind === 'broken')
        return resumed === undefined ? result.failed : { ...result.failed, progress: 'unknown' };
      return wire.answersOnListen ? 'wait' : unanswered('The service ended its response without the answer.');
    }
    case 'rpc-error':
    case 'refused':
      if (resumed !== undefined) return judgeRefusedResumption(result.status, resumed);
      // In whatever words a service says that it is busy, or that the session is gone, it has answered nothing.
      if (result.kind === 'refused' || isOfTheMoment(result.status)) return result.status;
      return { kind: 'answered', message: result.message, httpStatus: result.code };
    case 'aborted':
      return { kind: 'aborted', progress };
  }
}

function isOfTheMoment({ sessionLost, failure }: FailedAttempt): boolean {
  return sessionLost === true || failure.code === 'ERR_UPSTREAM_BUSY';
}

/** The service has taken the request long ago; that it will not resume the stream says nothing of whether it ran. */
function judgeRefusedResumption(refusal: FailedAttempt, resumed: StreamEnd): AttemptOutcome | StreamEnd {
  const status = refusal.httpStatus ?? 0;
  if (isPassing(status)) return resumed;
  return {
    ...unanswered(`The service ended its response early and would not resume it (HTTP ${status}).`),
    ...(refusal.sessionLost === true ? { sessionLost: true } : undefined),
  };
}

function unanswered(message: string): FailedAttempt {
  return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_NO_ANSWER', message } };
}
