// The session's machine under random sequences of events, with what a session makes of its effects.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MIN_PROBE_INTERVAL_MS,
  transition,
  type Connectivity,
  type ConnectivityEvent,
  type Effect,
} from '../../src/policy/connectivity.ts';
import { failure } from './connectivity-cases.ts';

interface Step {
  readonly before: Connectivity;
  readonly event: ConnectivityEvent;
  readonly after: Connectivity;
  readonly effects: readonly Effect[];
}

const at = fc.nat(100_000);
const epoch = fc.nat(3);
const plan: fc.Arbitrary<ConnectivityEvent> = fc.oneof(
  fc.record({ type: fc.constant('wanted'), at }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant('connected'), epoch, at }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('connect-failed'),
      failure: fc.constant(failure),
      at,
      retryInMs: fc.option(fc.nat(60_000)),
    }),
  },
  fc.record({
    type: fc.constant('lost'),
    epoch,
    failure: fc.constant(failure),
    at,
    reconnect: fc.boolean(),
  }),
  fc.constant({ type: 'retry-due' } as const),
  fc.constant({ type: 'idle' } as const),
);
/** `close` ends what there is to see, so it comes rarely. */
const events = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: plan },
    { weight: 1, arbitrary: fc.constant({ type: 'close' } as const) },
  ),
  { maxLength: 60, size: 'max' },
);

function run(sequence: readonly ConnectivityEvent[]): Step[] {
  let state: Connectivity = { kind: 'IDLE' };
  return sequence.map((event) => {
    const before = state;
    const { state: after, effects } = transition(before, event);
    state = after;
    return { before, event, after, effects };
  });
}

const has = (step: Step, type: Effect['type']): boolean => step.effects.some((each) => each.type === type);

/** Holds every sequence against a rule that gives the steps that break it. */
function expectNone(breaking: (steps: readonly Step[]) => readonly Step[]): void {
  fc.assert(
    fc.property(events, (sequence) => {
      expect(breaking(run(sequence))).toEqual([]);
    }),
    { numRuns: 300 },
  );
}

const isQuiet = ({ before, after, effects }: Step): boolean => before === after && effects.length === 0;

describe('SE2 whatever happens in whatever order', () => {
  test('SHUTDOWN is never left, and asks for nothing', () => {
    expectNone((steps) => steps.filter((step) => step.before.kind === 'SHUTDOWN' && !isQuiet(step)));
  });

  test('`close` always ends in SHUTDOWN', () => {
    expectNone((steps) =>
      steps.filter(({ event, after }) => event.type === 'close' && after.kind !== 'SHUTDOWN'),
    );
  });

  test('READY is reached by `connected` from CONNECTING alone', () => {
    expectNone((steps) =>
      steps
        .filter(({ before, after }) => after.kind === 'READY' && before !== after)
        .filter(({ before, event }) => before.kind !== 'CONNECTING' || event.type !== 'connected'),
    );
  });

  test('what is told of another epoch changes nothing', () => {
    expectNone((steps) =>
      steps.filter((step) => {
        const { before, event } = step;
        const isStale = event.type === 'lost' && !(before.kind === 'READY' && before.epoch === event.epoch);
        return isStale && !isQuiet(step);
      }),
    );
  });

  test('every CONNECTING begins with exactly one `connect`, and nothing else asks for one', () => {
    expectNone((steps) =>
      steps.filter(({ before, after, effects }) => {
        const begins = after.kind === 'CONNECTING' && before.kind !== 'CONNECTING';
        return effects.filter(({ type }) => type === 'connect').length !== (begins ? 1 : 0);
      }),
    );
  });

  test('a second `connect` comes only after the first has ended', () => {
    expectNone((steps) => {
      let isUnderWay = false;
      return steps.filter((step) => {
        if (step.before.kind === 'CONNECTING' && step.after.kind !== 'CONNECTING') isUnderWay = false;
        const isSecond = isUnderWay && has(step, 'connect');
        isUnderWay ||= has(step, 'connect');
        return isSecond;
      });
    });
  });

  test('a retry timer runs in TRANSIENT_FAILURE alone, for the time that the state names', () => {
    expectNone((steps) => {
      // As the session does: `retry-at` replaces the timer, and it is gone on `connect` and `cancel-retry`.
      let timerAt: number | null = null;
      return steps.filter(({ after, effects }) => {
        for (const effect of effects) {
          if (effect.type === 'retry-at') timerAt = effect.at;
          else if (effect.type !== 'release') timerAt = null;
        }
        return timerAt !== (after.kind === 'TRANSIENT_FAILURE' ? after.retryAt : null);
      });
    });
  });

  test('`release` comes with the end of use, and only then', () => {
    expectNone((steps) =>
      steps.filter((step) => {
        const isEnd = step.event.type === 'idle' || step.event.type === 'close';
        return has(step, 'release') ? !isEnd : step.before.kind === 'READY' && isEnd;
      }),
    );
  });

  test('an outage keeps its beginning until it is over', () => {
    expectNone((steps) =>
      steps.filter(({ before, after }) => {
        if (!('outage' in before) || !('outage' in after) || before.outage === undefined) return false;
        return after.outage?.since !== before.outage.since;
      }),
    );
  });

  test('`wanted` leads to a try within a second, unless only a person can help', () => {
    expectNone((steps) =>
      steps.filter(({ event, after }) => {
        if (event.type !== 'wanted') return false;
        if (after.kind === 'TRANSIENT_FAILURE')
          return (after.retryAt ?? 0) > event.at + MIN_PROBE_INTERVAL_MS;
        return after.kind === 'IDLE';
      }),
    );
  });
});
