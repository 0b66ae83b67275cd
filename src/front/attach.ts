// One try to attach to the daemon: an HTTP/1.1 Upgrade written by hand, because node:http would cost a launch more than all the
// rest of it.

import { connect } from 'node:net';
import {
  ATTACH_PATH,
  MAX_LINE_HEADER,
  NEEDS_HEADER,
  SOCKET_HOST,
  TIME_LIMITS_HEADER,
  UPGRADE_NAME,
  VERSION_HEADER,
  type Launch,
} from '../platform/attach-protocol.ts';
import type { Clock } from '../platform/clock.ts';
import type { TimeLimits } from '../policy/deadline.ts';
import type { Opened } from './link.ts';

export type Attached =
  | ({ readonly kind: 'attached' } & Opened)
  /** Nobody is there, or nobody who stays: look again soon. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** The launch has to bring these variables along. */
  | { readonly kind: 'needs'; readonly variables: readonly string[] }
  /** The launch cannot be used; for people. */
  | { readonly kind: 'refused'; readonly message: string }
  /** A daemon that does not serve this front. */
  | { readonly kind: 'unfit'; readonly reason: string };

export interface AttachOptions {
  readonly socket: string;
  readonly secret: string;
  readonly version: string;
  readonly launch: Launch;
  readonly clock: Clock;
  readonly limitMs: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;
/** What a daemon takes that does not say. */
const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;
const HEAD_END = '\r\n\r\n';

/** Never rejects. */
export function attach({
  socket,
  secret,
  version,
  launch,
  clock,
  limitMs,
}: AttachOptions): Promise<Attached> {
  return new Promise((resolve) => {
    const stream = connect({ path: socket });
    let answer = Buffer.alloc(0);
    const timer = clock.after(limitMs, () => fail('it does not answer'));

    const settle = (result: Attached): void => {
      timer.cancel();
      stream.off('data', onData).off('error', onError).off('close', onClose);
      if (result.kind !== 'attached') stream.on('error', () => {}).destroy();
      resolve(result);
    };
    const fail = (reason: string): void => settle({ kind: 'absent', reason });
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.message);
    const onClose = (): void => settle(readRefusal(answer.toString()));
    const onData = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf(HEAD_END);
      if (end >= 0 && answer.toString('latin1', 0, 13) === 'HTTP/1.1 101 ') {
        stream.pause();
        const rest = answer.subarray(end + HEAD_END.length);
        if (rest.length > 0) stream.unshift(rest);
        const head = answer.toString('latin1', 0, end);
        const maxLineBytes = Number(headerOf(head, MAX_LINE_HEADER) ?? DEFAULT_MAX_LINE_BYTES);
        settle({ kind: 'attached', stream, maxLineBytes, timeLimits: readTimeLimits(head) });
      } else if (answer.length > MAX_ANSWER_BYTES) settle({ kind: 'unfit', reason: 'it talks too much' });
    };
    stream.on('data', onData).on('error', onError).on('close', onClose);
    stream.write(
      `GET ${ATTACH_PATH} HTTP/1.1\r\nHost: ${SOCKET_HOST}\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_NAME}\r\n` +
        `Authorization: Bearer ${secret}\r\n${VERSION_HEADER}: ${version}${HEAD_END}${JSON.stringify(launch)}\n`,
    );
  });
}

function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.+)$`, 'im').exec(head)?.[1]?.trim();
}

function readTimeLimits(head: string): TimeLimits | undefined {
  const limits = headerOf(head, TIME_LIMITS_HEADER)?.split(',').map(Number);
  const [requestTimeoutMs, toolTimeoutMs, toolTimeoutMaxMs] = limits ?? [];
  if (!requestTimeoutMs || !toolTimeoutMs || !toolTimeoutMaxMs) return undefined;
  return { requestTimeoutMs, toolTimeoutMs, toolTimeoutMaxMs };
}

function readRefusal(answer: string): Attached {
  const [head = '', message = ''] = answer.split(HEAD_END, 2);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  switch (status) {
    case undefined:
      return { kind: 'absent', reason: 'it hung up' };
    case '400':
      return { kind: 'refused', message };
    case '401':
      // It may have been started anew, with another secret, between reading and connecting.
      return { kind: 'absent', reason: 'it has another secret' };
    case '409':
      return { kind: 'absent', reason: 'it makes room for a newer one' };
    case '428': {
      const named = headerOf(head, NEEDS_HEADER) ?? '';
      return { kind: 'needs', variables: named.split(',').filter((name) => name !== '') };
    }
    default:
      return { kind: 'unfit', reason: message.trim() || `it answered HTTP ${status}` };
  }
}
