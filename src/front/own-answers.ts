// What a front says to its client by itself: where no daemon is needed, and where one is gone.

import { NO_DISCOVER } from '../bridge/refusals.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Failure } from '../protocol/errors.ts';
import { keyOf } from './glance.ts';
import type { Asked, Entry, Ledger } from './ledger.ts';
import type { Outlet } from './outlet.ts';
import type { WaitingLine } from './waiting.ts';

/** For a request that no daemon has had since `limitMs` ago. One that was handed on before may safely be asked twice. */
export function notTaken(limitMs: number): Failure {
  const message = `No background process could be reached within ${limitMs / 1000} s.`;
  return { code: 'ERR_UPSTREAM_TIMEOUT', message };
}

/** What asks about the bridge's own end of the pipe is answered at once, daemon or not. True when it is. */
export function answerAtOnce(message: Envelope, isIntroduced: boolean, outlet: Outlet): boolean {
  const id = keyOf(message);
  if (message.method === 'ping') {
    outlet.write([Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}\n`)]);
    return true;
  }
  if (message.method !== 'server/discover' || isIntroduced) return false;
  outlet.fail(id, NO_DISCOVER);
  return true;
}

/**
 * Deals with what a daemon had when it went: answers what must not be sent again, and hands back the rest.
 * @returns the lines to send to the next one, in their order
 */
export function recover<L>(
  entries: readonly Entry<L>[],
  ledger: Ledger<L>,
  outlet: Outlet,
): WaitingLine<L>[] {
  const moved: WaitingLine<L>[] = [];
  for (const [n, verdict] of ledger.recover(entries).entries()) {
    const entry = entries[n] as Entry<L>;
    if (!entry.isOwn && verdict.kind === 'resend' && entry.line !== undefined) {
      entry.moves += 1;
      entry.holder = undefined;
      moved.push({ line: entry.line, entry });
      continue;
    }
    ledger.remove(entry);
    if (entry.isOwn || verdict.kind !== 'fail') continue;
    if (entry.batch !== undefined) outlet.failAll(verdict.failures);
    else for (const { id, failure } of verdict.failures) outlet.fail(id, failure);
  }
  return moved;
}

/** Answers all that wait for a daemon that there will not be. What waits beside them is told to the next one from memory. */
export function refuse<L>(
  waiting: readonly WaitingLine<L>[],
  failure: Failure,
  ledger: Ledger<L>,
  outlet: Outlet,
): void {
  for (const { entry } of waiting) {
    if (entry === undefined) continue;
    ledger.remove(entry);
    fail(entry, failure, outlet);
  }
}

export function fail({ key, batch }: Asked, failure: Failure, outlet: Outlet): void {
  if (batch === undefined) outlet.fail(key, failure);
  else outlet.failAll(batch.map((id) => ({ id, failure })));
}
