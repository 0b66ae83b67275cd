// What a client is told of a line that is refused, by the bridge, or by a front before a bridge has it.

import type { Failure } from '../protocol/errors.ts';

export const DUPLICATE: Failure = {
  code: 'ERR_CLIENT_DUPLICATE_ID',
  message: 'A request with this id waits for its answer already.',
};

export const NO_DISCOVER: Failure = {
  code: 'ERR_CLIENT_METHOD_UNKNOWN',
  message: 'The method server/discover is not known here.',
};

/** @param size of the line, and what is allowed, in bytes */
export function tooLong(size: number, allowed: number): Failure {
  const message = `A line of ${size} bytes is longer than the ${allowed} that are allowed.`;
  return { code: 'ERR_CLIENT_LINE_TOO_LONG', message };
}
