// One attached daemon, or the bridge in this process, as the relay sees it.

import type { Duplex } from 'node:stream';
import { WAITED_WORD } from '../platform/attach-protocol.ts';
import type { TimeLimits } from '../policy/deadline.ts';
import type { Failure } from '../protocol/errors.ts';
import type { Entry } from './ledger.ts';
import type { LinePieces } from './line-splitter.ts';

export interface Opened {
  readonly stream: Duplex;
  /** The longest line that it takes. */
  readonly maxLineBytes: number;
  /** Of the client's requests; undefined where a daemon does not say. */
  readonly timeLimits: TimeLimits | undefined;
  /** It may answer before a write to it returns, so nothing goes there that has not been noted. */
  readonly isInProcess?: boolean;
}

/** What the client launched cannot be used as things stand: a flag, a variable, or the config file. */
export interface Refused {
  readonly failure: Failure;
  /** For a front that has never served its client. */
  readonly exitCode: number;
}

export interface Link {
  readonly stream: Duplex;
  readonly isInProcess: boolean;
  readonly openedAt: number;
  /** Gets nothing new any more, and is left when it has answered all that it has. */
  isDraining: boolean;
  /** The daemon has said that it ends because somebody wants it to. */
  hasSaidBye: boolean;
  /** How often in a row Patience has looked and heard nothing. */
  quietLooks: number;
}

export function newLink({ stream, isInProcess = false }: Opened, openedAt: number): Link {
  // Whatever ends it, its close says so.
  stream.on('error', () => {}).once('end', () => stream.end());
  return { stream, isInProcess, openedAt, isDraining: false, hasSaidBye: false, quietLooks: 0 };
}

/** Gives a line to a daemon. The time limit of what is asked in it began when the client asked; `now` is by the same clock. */
export function hand(link: Link, line: LinePieces, entry: Entry<Link> | undefined, now: number): void {
  if (entry?.askedAt !== undefined) {
    entry.holder = link;
    const waitedMs = Math.round(now - entry.askedAt);
    if (waitedMs > 0) link.stream.write(`${WAITED_WORD} ${waitedMs}\n`);
  }
  writeTo(link, line);
}

export function writeTo({ stream }: Link, line: LinePieces): void {
  for (const piece of line) stream.write(piece);
}
