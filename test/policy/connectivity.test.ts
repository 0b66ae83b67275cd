// The session's machine, case by case.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MIN_PROBE_INTERVAL_MS, transition, type Connectivity } from '../../src/policy/connectivity.ts';
import { describeTransition, EPOCH, EVENTS, failure, NOW, outage, STATES } from './connectivity-cases.ts';

const at = (state: string): Connectivity => STATES[state]!;
const after = (state: string, event: string): ReturnType<typeof transition> =>
  transition(at(state), EVENTS[event]!);

/** The rows of the first table below a heading, as lists of cells; the first row is the head. */
function tableBelow(heading: string): string[][] {
  const text = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe('SE2 the table of docs/states.md', () => {
  const [head = [], ...rows] = tableBelow('Every state, every event');

  test('has every state and every event', () => {
    expect(head.slice(1)).toEqual(Object.keys(STATES));
    expect(rows.map(([event]) => event)).toEqual(Object.keys(EVENTS));
  });

  test.each(Object.keys(EVENTS))('says what happens on %s', (event) => {
    const actual = Object.values(STATES).map((state) =>
      describeTransition(state, transition(state, EVENTS[event]!)),
    );
    expect(rows.find(([name]) => name === event)?.slice(1)).toEqual(actual);
  });

  test('is drawn in the diagram, arrow by arrow', () => {
    const text = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8');
    const drawn = [...text.matchAll(/^\s+(\w+) --> (\w+): (.+)$/gm)].flatMap(([, from, to, events]) =>
      events!.split(', ').map((event) => `${from} ${event} ${to}`),
    );
    const real = Object.values(STATES).flatMap((state) =>
      Object.values(EVENTS).flatMap((event) => {
        const to = transition(state, event).state.kind;
        return to === state.kind ? [] : [`${state.kind} ${event.type} ${to}`];
      }),
    );
    expect(drawn.toSorted()).toEqual([...new Set(real)].toSorted());
  });
});

describe('SE2 a transition', () => {
  test.each(Object.keys(STATES))('from %s changes neither its state nor its event', (name) => {
    for (const event of Object.values(EVENTS)) {
      const state = structuredClone(at(name));
      const frozen = deepFreeze(state);
      expect(() => transition(frozen, deepFreeze(structuredClone(event)))).not.toThrow();
    }
  });

  test('to READY carries the epoch and the time of the handshake', () => {
    expect(after('CONNECTING', 'connected').state).toEqual({
      kind: 'READY',
      epoch: EPOCH + 1,
      since: NOW,
      failures: 2,
    });
  });

  test('from the first failed try begins the outage then', () => {
    const first: Connectivity = { kind: 'CONNECTING', failures: 0, outage: undefined };
    expect(transition(first, EVENTS['connect-failed']!).state).toEqual({
      kind: 'TRANSIENT_FAILURE',
      failures: 1,
      outage: { since: NOW, failure, lastFailedAt: NOW },
      retryAt: NOW + 400,
    });
  });

  test('from a later failed try keeps when the outage began, and takes the newest reason', () => {
    const other = { ...failure, message: 'Another reason.' };
    const event = { type: 'connect-failed', failure: other, at: NOW, retryInMs: 400 } as const;
    expect(transition(at('CONNECTING'), event).state).toMatchObject({
      failures: 3,
      outage: { since: outage.since, failure: other, lastFailedAt: NOW },
    });
  });

  test('from READY begins the outage when the session was found missing, with no failed try yet', () => {
    expect(after('READY', 'lost').state).toEqual({
      kind: 'CONNECTING',
      failures: 0,
      outage: { since: NOW, failure, lastFailedAt: NOW },
    });
  });

  test('to the next try keeps the count of failures, so that the backoff grows', () => {
    expect(after('TRANSIENT_FAILURE', 'retry-due').state).toEqual({
      kind: 'CONNECTING',
      failures: 3,
      outage,
    });
  });
});

describe('FB3 a request that wants the session in an outage', () => {
  test('brings the next try forward, and no nearer than a second', () => {
    const { state, effects } = after('TRANSIENT_FAILURE', 'wanted');
    const retryAt = NOW + MIN_PROBE_INTERVAL_MS;
    expect(state).toEqual({ ...at('TRANSIENT_FAILURE'), retryAt });
    expect(effects).toEqual([{ type: 'retry-at', at: retryAt }]);
  });

  test('moves it once, however many want it at the same time', () => {
    const first = after('TRANSIENT_FAILURE', 'wanted');
    expect(transition(first.state, EVENTS['wanted']!)).toEqual({ state: first.state, effects: [] });
  });

  test('leaves a service alone for as long as it has asked for', () => {
    const event = { type: 'connect-failed', failure, at: NOW, retryInMs: 9000, askedForMs: 7000 } as const;
    const failed = transition(at('CONNECTING'), event).state;
    expect(transition(failed, { type: 'wanted', at: NOW + 500 }).state).toMatchObject({
      retryAt: NOW + 7000,
    });
    expect(transition(failed, { type: 'wanted', at: NOW + 6500 }).state).toMatchObject({
      retryAt: NOW + 7500,
    });
  });

  test('never puts it off', () => {
    for (const retryAt of [NOW - 10, NOW, NOW + MIN_PROBE_INTERVAL_MS]) {
      const state: Connectivity = { kind: 'TRANSIENT_FAILURE', failures: 1, outage, retryAt };
      expect(transition(state, EVENTS['wanted']!)).toEqual({ state, effects: [] });
    }
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}

test.each([
  ['at once', 9000, 2],
  ['after it has stayed up', 10_000, 0],
])(
  'RT5 a session that is lost %s goes on with the backoff of before, or begins it anew',
  (_when, upMs, failures) => {
    const up = transition(
      { kind: 'CONNECTING', failures: 2, outage },
      { type: 'connected', epoch: 1, at: NOW },
    ).state;
    const lost = { type: 'lost', epoch: 1, failure, at: NOW + upMs, reconnect: true } as const;
    expect(transition(up, lost)).toMatchObject({
      state: { kind: 'CONNECTING', failures },
      effects: [{ type: 'connect' }],
    });
  },
);
