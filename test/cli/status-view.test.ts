// The status for a person, and the screen of --watch: what is said in each case.
import { describe, expect, test } from 'vitest';
import { statusLines } from '../../src/cli/render/status-view.ts';
import { COLOUR, PLAIN } from '../../src/cli/render/style.ts';
import { eventLine, watchLines } from '../../src/cli/render/watch-view.ts';
import { exitCodeOf, type Finding, type Report } from '../../src/cli/status-report.ts';
import type { Observed } from '../../src/observe/events.ts';
import type { LogRecord } from '../../src/observe/log-file.ts';
import { StatusFold } from '../../src/observe/status-fold.ts';
import { readSchema, violations } from '../support/json-schema.ts';
import { answered, c1, healthyMorning, NOON, outage, s1, told } from '../observe/telling.ts';

const view = { style: PLAIN, columns: 100, withTrend: false };

function findingAfter(events: readonly Observed[], now = NOON + 90_000): Finding {
  const fold = new StatusFold();
  for (const event of events) fold.take(event);
  const startedAt = new Date(NOON - 3_600_000).toISOString();
  const status = fold.snapshot(now, { mode: 'daemon', version: '1.2.3', pid: 42, startedAt });
  return { kind: 'report', report: { ...status, inProcess: [] } };
}

function notRunning(inProcess: Report['inProcess'] = []): Finding {
  const at = new Date(NOON).toISOString();
  return {
    kind: 'report',
    report: { statusVersion: 1, at, health: 'not-running', instance: null, profiles: [], inProcess },
  };
}

const alone = { pid: 7, profile: 'work', reason: 'EROFS', since: new Date(NOON - 60_000).toISOString() };
const textOf = (finding: Finding): string => statusLines(finding, view).join('\n');

describe('ST1 the status for a person', () => {
  test('shows a healthy profile in full', () => {
    expect(textOf(findingAfter(healthyMorning()))).toBe(
      `mcp-bridge 1.2.3 is running (pid 42, for 1 h 1 min)

work  ● healthy
  service     https://mcp.example.com/mcp
  state       ready (READY) for 1 min 30 s
  route       session (one for all requests)
  session     1 min 30 s old, revision 2025-11-25, 1 handshake, the last took 412 ms
  clients     1: claude-ai 1.2.0 (1 min 30 s)
  requests    5: 5 answered, 0 failed, 0 cancelled
  repeats     0 retries (0 replays), 0 hedges, 0 fallbacks
  latency     p50 48 ms, p95 299 ms, p99 312 ms (last 5 min, 5 answers)
  sign-in     none needed`,
    );
  });

  test('says in an outage why, when it goes on, and what to do, at the top', () => {
    const lines = statusLines(findingAfter([...healthyMorning(), ...outage()], NOON + 65_000), view);
    expect(lines[2]).toBe('work  ▲ degraded');
    expect(lines[3]).toBe(
      '  what to do  Check that the service is up and that the URL is right, then try again.',
    );
    expect(lines).toContain(
      '  state       failing (TRANSIENT_FAILURE) for 5 s: No connection (ECONNREFUSED). Next try in 15 s.',
    );
    expect(lines.at(-1)).toBe(
      '  last error  5 s ago, ERR_UPSTREAM_UNREACHABLE: No connection (ECONNREFUSED).',
    );
  });

  test('puts what needs a person first', () => {
    const ill = outage().map((each) => ({ ...each, labels: { ...each.labels, profile: 'zebra' } }));
    const text = textOf(findingAfter([...healthyMorning(), ...ill]));
    expect(text.indexOf('zebra')).toBeLessThan(text.indexOf('work'));
  });

  test('explains the per-request route', () => {
    const lost = told(s1, { type: 'session.route', route: 'per-request', reason: 'sessions vanish' });
    const text = textOf(findingAfter([...healthyMorning(), lost]));
    expect(text).toContain('route       per-request (a session for each): sessions vanish');
    expect(text).toMatch(/what to do {2}Requests work, but each opens a session of its own/);
  });

  test('keeps to the width', () => {
    const finding = findingAfter([...healthyMorning(), ...outage()]);
    for (const columns of [60, 80, 120]) {
      const longest = Math.max(...statusLines(finding, { ...view, columns }).map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(columns);
    }
  });

  test('names a few clients and counts the rest', () => {
    const clients = Array.from({ length: 7 }, (_, n) =>
      told({ profile: 'work', client: `c${n}` }, { type: 'client.attached', service: 'x', by: 'socket' }),
    );
    expect(textOf(findingAfter(clients))).toMatch(/clients {5}7: (unnamed \([^)]+\)(, )?){4} and 3 more/);
  });

  test('lets no name move the cursor', () => {
    const evil = told(c1, { type: 'client.introduced', name: '\u001b[2Jevil\r\n', version: '\u0007' });
    const text = textOf(findingAfter([...healthyMorning(), evil]));
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test.each([
    [
      { state: 'draining' as const, faults: 0 },
      /^mcp-bridge 1\.2\.3 is running .*\nIt makes room for a newer version\./,
    ],
    [
      { state: 'serving' as const, faults: 2, lastFault: 'at x (y.js:1:2)' },
      /\n2 failures inside .* \(the last: at x \(y\.js:1:2\)\)\. Please report/,
    ],
  ])('says what the daemon says of itself: %j', (facts, words) => {
    const finding = findingAfter(healthyMorning());
    if (finding.kind !== 'report' || finding.report.instance === null) throw new Error('no report');
    const daemon = { pid: 42, version: '1.2.3', startedAt: finding.report.at, clients: 1, ...facts };
    const report = { ...finding.report, daemon };
    expect(violations(readSchema('status.schema.json'), JSON.parse(JSON.stringify(report)))).toEqual([]);
    expect(textOf({ kind: 'report', report })).toMatch(words);
  });

  test('has colour only in the style that brings it', () => {
    const finding = findingAfter([...healthyMorning(), ...outage()]);
    expect(textOf(finding)).not.toContain('\u001b');
    expect(statusLines(finding, { ...view, style: COLOUR }).join('')).toContain(
      '\u001b[31m▲ degraded\u001b[39m',
    );
  });

  test('says that nothing runs, that this is fine, and what else there is', () => {
    const text = textOf(notRunning());
    expect(text).toMatch(/^mcp-bridge is not running\.\nThat is fine/);
    expect(text.replaceAll('\n', ' ')).toContain('mcp-bridge doctor');
  });

  test('FB5 tells of bridges without a daemon, and why they have none', () => {
    const text = textOf(notRunning([alone]));
    expect(text).toContain('mcp-bridge is running without its daemon.');
    expect(text).toContain('work in process 7, for 1 min: EROFS');
  });

  test('says what to do where the daemon gives no answer', () => {
    const trouble: Finding = { kind: 'trouble', reason: 'No answer.', advice: 'Stop it.' };
    expect(textOf(trouble)).toBe('mcp-bridge cannot say how it is.\nNo answer.\nStop it.');
  });
});

test.each<[string, Finding, number]>([
  ['healthy', findingAfter(healthyMorning()), 0],
  ['degraded', findingAfter([...healthyMorning(), ...outage()]), 1],
  ['trouble', { kind: 'trouble', reason: '', advice: '' }, 1],
  ['only bridges without a daemon', notRunning([alone]), 1],
  ['not running', notRunning(), 3],
])('ST1 the exit code for %s', (_what, finding, code) => {
  expect(exitCodeOf(finding)).toBe(code);
});

describe('ST1 --watch', () => {
  const screen = { rows: 40, columns: 100, style: PLAIN };
  const event = (ms: number): LogRecord => {
    return { at: '2026-01-01T12:00:00.000Z', level: 'debug', ...c1, ...answered(ms) };
  };

  test.each([
    [40, 100],
    [20, 70],
    [10, 40],
    [3, 20],
    [1, 10],
  ])('fills a window of %i × %i and no more', (rows, columns) => {
    const events = Array.from({ length: 100 }, (_, n) => event(n));
    const lines = watchLines(findingAfter([...healthyMorning(), ...outage()]), events, {
      ...screen,
      rows,
      columns,
    });
    expect(lines).toHaveLength(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.at(-1)).toBe('q or Ctrl-C to leave'.slice(0, columns));
  });

  test('shows the course of the latency, and the newest events last', () => {
    const lines = watchLines(findingAfter(healthyMorning()), [event(1), event(2)], screen);
    expect(lines.some((line) => /·+█·+ 0 to 48 ms, 5 min/.test(line))).toBe(true);
    const at = lines.findIndex((line) => line.includes('answered after 1.0 ms'));
    expect(lines[at + 1]).toContain('answered after 2.0 ms');
  });

  test('a small window shows a line of each profile, and the one that is worst off in full', () => {
    const finding = findingAfter([...healthyMorning(), ...outage()]);
    if (finding.kind !== 'report' || finding.report.instance === null) throw new Error('no report');
    const [bad] = finding.report.profiles;
    const good = { ...bad!, profile: 'home', health: 'healthy', state: 'READY' } as const;
    const two: Finding = { ...finding, report: { ...finding.report, profiles: [good, bad!] } };
    const lines = watchLines(two, [], { ...screen, rows: 24 });
    expect(lines[2]).toMatch(/^home {2}● healthy {2}ready, \d+ clients?, \d+ requests?$/);
    expect(lines[4]).toBe('work  ▲ degraded');
    expect(lines[5]).toContain('what to do');
  });

  test('says how much a small window hides', () => {
    const lines = watchLines(findingAfter(healthyMorning()), [], { ...screen, rows: 16 });
    expect(lines.some((line) => /^… \d+ more lines/.test(line))).toBe(true);
  });

  test('an event is one line with whom it is about', () => {
    expect(eventLine(event(12), PLAIN)).toMatch(
      /^\d\d:\d\d:\d\d work c1 request\.settled tools\/call answered after 12\.0 ms$/,
    );
  });
});
