// The lines of the log file.
import { expect, test } from 'vitest';
import { describe as inWords, printable } from '../../src/observe/describe.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import { logFile } from '../../src/observe/log-file.ts';
import { stderrLog } from '../../src/observe/stderr-log.ts';
import { answered, c1, healthyMorning, NOON, outage, told } from './telling.ts';

function linesAt(level: 'silent' | 'error' | 'info' | 'debug', events = [...healthyMorning(), ...outage()]) {
  const lines: string[] = [];
  const log = logFile(
    () => level,
    (line) => void lines.push(line),
  );
  for (const event of events) log(event);
  return lines.map((line) => JSON.parse(line) as { type: string; level: string });
}

test('ST4 the level may change while it runs', () => {
  const lines: string[] = [];
  let level: 'info' | 'debug' = 'info';
  const log = logFile(
    () => level,
    (line) => void lines.push(line),
  );
  log(told(c1, answered(1)));
  level = 'debug';
  log(told(c1, answered(2)));
  expect(lines.map((line) => (JSON.parse(line) as { ms: number }).ms)).toEqual([2]);
});

test('ST4 a line is JSON with time, level, labels and the event', () => {
  expect(linesAt('debug', [told(c1, answered(5))])).toEqual([
    { at: '2026-01-01T12:00:00.000Z', level: 'debug', ...c1, ...answered(5) },
  ]);
});

test('ST4 request timing is written at debug alone', () => {
  expect(linesAt('debug').filter(({ type }) => type === 'request.settled')).toHaveLength(5);
  expect(linesAt('info').filter(({ type }) => type === 'request.settled')).toHaveLength(0);
  expect(linesAt('error').map(({ type }) => type)).toEqual(['session.state']);
  expect(linesAt('silent')).toEqual([]);
});

test('a text that is too long is cut', () => {
  const event: BridgeEvent = { type: 'upstream.dropped', reason: 'x'.repeat(100_000) };
  const lines: string[] = [];
  logFile(
    () => 'debug',
    (line) => void lines.push(line),
  )(told(c1, event));
  expect(lines[0]!.length).toBeLessThan(1300);
});

test.each([
  ['a line break', 'a\nERROR b', 'a ERROR b'],
  ['an escape sequence', 'a\u001b[2Jb', 'a [2Jb'],
  ['a C1 control', 'a\u009b2Jb', 'a 2Jb'],
  ['what is harmless', 'Grüße, 世界 🎉', 'Grüße, 世界 🎉'],
])('%s in a text of the service cannot forge a line or move the cursor', (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
  const lines: string[] = [];
  const log = stderrLog(
    { logLevel: 'debug' },
    () => NOON,
    (line) => void lines.push(line),
  );
  log({ type: 'upstream.dropped', reason: text });
  expect(lines).toEqual([`2026-01-01T12:00:00.000Z info upstream.dropped ${shown}\n`]);
});

test('a kind of event that this version does not know is shown without words', () => {
  expect(inWords({ type: 'new.thing' } as unknown as BridgeEvent)).toBe('');
});
