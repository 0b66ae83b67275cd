// A client's requests under random interleavings of what a session can come to: its states, its answers, each way to fail.
import { Deadlines } from '../../src/bridge/deadlines.ts';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/policy/attempt.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import type { FakeCall } from './fake-session.ts';
import { outcomeOf, remembered, SERVICE, Viewing, type Asked } from './viewing.ts';

const LIMIT_MS = 30_000;
const TOOLS = { tools: [{ name: 'read', annotations: { readOnlyHint: true } }, { name: 'write' }] };
const MEMORY = { 'tools/list': TOOLS, 'prompts/list': { prompts: [] } };

const METHODS = ['write', 'read', 'tools/list', 'prompts/list', 'resources/list', 'prompts/get'] as const;
const STATES = ['ready', 'away', 'locked out', 'connecting', 'idle', 'other service'] as const;
const WAITS = [10, 900, 5000, LIMIT_MS] as const;
const FATES: Readonly<Record<string, (call: FakeCall) => void>> = {
  answers: (call) => call.answer(call.method === 'tools/list' ? TOOLS : {}),
  'answers null': (call) => call.answer(null),
  'answers with an error': (call) => call.answerError(),
  ...Object.fromEntries(
    (
      [
        ['not-sent', 'ERR_UPSTREAM_UNREACHABLE'],
        ['refused', 'ERR_UPSTREAM_BUSY'],
        ['refused', 'ERR_AUTH_REQUIRED'],
        ['unknown', 'ERR_UPSTREAM_UNREACHABLE'],
        ['unknown', 'ERR_UPSTREAM_NO_ANSWER'],
        ['unknown', 'ERR_UPSTREAM_BAD_ANSWER'],
      ] satisfies [Progress, ErrorCode][]
    ).map(([progress, code]) => [`${progress}: ${code}`, (call: FakeCall) => call.fail(progress, code)]),
  ),
  'loses the session before': (call) => call.fail('refused', 'ERR_SESSION_LOST', { sessionLost: true }),
  'loses the session after': (call) => call.fail('unknown', 'ERR_SESSION_LOST', { sessionLost: true }),
};

type Action =
  | readonly ['ask', (typeof METHODS)[number]]
  | readonly ['fate', string, number]
  | readonly ['state', (typeof STATES)[number]]
  | readonly ['wait', (typeof WAITS)[number]]
  | readonly ['cancel', number];

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('ask'), fc.constantFrom(...METHODS)) },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constant('fate'), fc.constantFrom(...Object.keys(FATES)), fc.nat(20)),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant('state'), fc.constantFrom(...STATES)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('wait'), fc.constantFrom(...WAITS)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('cancel'), fc.nat(20)) },
);

const cancellation = messageOf(
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
);

class World {
  readonly viewing: Viewing;
  readonly asked: Asked[];
  readonly cancelled = new Set<Asked>();
  readonly #deadlines: Deadlines;

  constructor(memory: string | undefined) {
    this.viewing = new Viewing(memory);
    this.asked = [this.viewing.initialize()];
    this.#deadlines = new Deadlines(this.viewing.clock, () => this.asked.map(({ pending }) => pending));
  }

  async run(actions: readonly Action[]): Promise<void> {
    for (const [what, how, n = 0] of actions as readonly (readonly [string, string | number, number?])[]) {
      if (what === 'wait') await this.viewing.clock.advance(Number(how));
      else if (what === 'ask') this.#ask(String(how));
      else if (what === 'state') this.#become(String(how));
      else if (what === 'cancel') this.#cancel(Number(how));
      else {
        const open = this.viewing.session.calls.filter(({ seen }) => seen === undefined);
        const call = open[n % Math.max(1, open.length)];
        if (call !== undefined) FATES[how]?.(call);
      }
      await settle();
    }
  }

  #ask(what: string): void {
    const isTool = what === 'write' || what === 'read';
    const one = this.viewing.ask(isTool ? 'tools/call' : what, isTool ? { name: what } : undefined);
    this.asked.push(one);
    this.#deadlines.set(one.pending, this.viewing.clock.now() + LIMIT_MS);
  }

  #become(state: string): void {
    const { session } = this.viewing;
    if (state === 'ready') session.establish(SERVICE);
    else if (state === 'other service') session.establish({ ...SERVICE, instructions: 'Something new.' });
    else if (state === 'away') session.fail();
    else if (state === 'locked out') session.fail('ERR_AUTH_REQUIRED');
    else if (state === 'idle') session.become({ kind: 'IDLE' });
    else session.become({ kind: 'CONNECTING', failures: 0, outage: undefined });
  }

  #cancel(n: number): void {
    // Not `initialize`, which a client must not cancel.
    const one = this.asked[1 + (n % this.asked.length)];
    if (one === undefined || one.reply !== undefined) return;
    this.cancelled.add(one);
    one.pending.withdraw({ kind: 'cancelled', message: cancellation });
  }

  /** The tries at a request, in order, with what is known of each: it may have run, or not. */
  triesAt(one: Asked): boolean[] {
    return this.viewing.session.calls
      .filter(({ question }) => question.request === one.pending.message)
      .map(({ seen }) => !(seen?.kind === 'failed' && seen.progress !== 'unknown'));
  }

  get writes(): Asked[] {
    return this.asked.filter(({ pending }) => pending.message.bytes.includes('"name":"write"'));
  }
}

describe('BR13 HS1 HS2 every request', () => {
  const actions = fc.array(action, { maxLength: 40, size: 'max' });

  test('RT3 RT4 has its reply by its deadline, and silence only if it was cancelled; no write runs twice', async () => {
    const memory = await remembered(MEMORY);
    await fc.assert(
      fc.asyncProperty(fc.boolean(), actions, async (isKnown, steps) => {
        const world = new World(isKnown ? memory : undefined);
        await world.run(steps);
        await world.viewing.clock.advance(2 * LIMIT_MS);
        const outcomes = world.asked.map(outcomeOf);
        expect(outcomes).not.toContain('none yet');
        const silenced = world.asked.filter((_, n) => outcomes[n] === 'silence');
        expect(silenced.filter((one) => !world.cancelled.has(one))).toEqual([]);
        // A try that may have run is the last one.
        const repeated = world.writes.filter((one) => world.triesAt(one).slice(0, -1).includes(true));
        expect(repeated).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
