// The program's own abort against Node's: whatever is done to both, both do the same.
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Abort, abortSignalOf, type Signal } from '../../src/platform/abort.ts';

type Step = readonly ['add' | 'remove', number] | readonly ['abort', string];

function perform(steps: readonly Step[], signal: Signal, abort: (reason: string) => void): unknown[] {
  const seen: unknown[] = [];
  const listeners = [0, 1, 2].map((name) => () => void seen.push([name, signal.aborted, signal.reason]));
  for (const [what, which] of steps) {
    if (what === 'abort') abort(which);
    else if (what === 'add') signal.addEventListener('abort', listeners[which]!, { once: true });
    else signal.removeEventListener('abort', listeners[which]!);
    seen.push(signal.aborted);
  }
  return [...seen, signal.reason];
}

test('aborts as an AbortController does', () => {
  // A listener that is added twice counts once for DOM events; nobody does that here.
  const orders = fc.shuffledSubarray<Step>([
    ...[0, 1, 2].map((i): Step => ['add', i]),
    ...[0, 1, 2].map((i): Step => ['remove', i]),
    ['abort', 'first'],
    ['abort', 'second'],
  ]);
  fc.assert(
    fc.property(orders, (steps) => {
      const own = new Abort();
      const node = new AbortController();
      expect(perform(steps, own.signal, (reason) => own.abort(reason))).toEqual(
        perform(steps, node.signal, (reason) => node.abort(reason)),
      );
    }),
  );
});

test("is passed on to a signal of Node's, before and after", async () => {
  const abort = new Abort();
  const early = abortSignalOf(abort);
  expect(early.aborted).toBe(false);
  abort.abort('gone');
  await turn();
  for (const signal of [early, abortSignalOf(abort)])
    expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
  expect(abortSignalOf(early)).toBe(early);
});
