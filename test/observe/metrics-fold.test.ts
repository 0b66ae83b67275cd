// The metrics, as Prometheus reads them.
import { expect, test } from 'vitest';
import type { Observed } from '../../src/observe/events.ts';
import { MetricsFold } from '../../src/observe/metrics-fold.ts';
import { StatusFold } from '../../src/observe/status-fold.ts';
import { answered, c1, healthyMorning, NOON, outage, s1, told } from './telling.ts';

function metricsAfter(events: readonly Observed[]): string {
  const metrics = new MetricsFold();
  const status = new StatusFold();
  for (const event of events) {
    metrics.take(event);
    status.take(event);
  }
  const startedAt = new Date(NOON).toISOString();
  const snapshot = status.snapshot(NOON + 90_000, { mode: 'daemon', version: '1.2.3', pid: 1, startedAt });
  return metrics.text(snapshot, { residentBytes: 5e7, droppedEvents: 3 });
}

/** The value of a series as it is written; undefined where it is not there. */
function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('ST2 counts requests by outcome and route', () => {
  const failed = { type: 'request.settled', method: 'm', ms: 1, outcome: 'ERR_UPSTREAM_TIMEOUT' } as const;
  const text = metricsAfter([
    ...healthyMorning(),
    told(c1, { ...failed, route: 'per-request' }),
    told(c1, failed),
    told(c1, { type: 'request.settled', method: 'm', ms: 1, outcome: 'cancelled', route: 'session' }),
  ]);
  const series = (outcome: string, route: string): number | undefined =>
    value(text, `mcp_bridge_requests_total{profile="work",outcome="${outcome}",route="${route}"}`);
  expect(series('answered', 'session')).toBe(5);
  expect(series('ERR_UPSTREAM_TIMEOUT', 'per-request')).toBe(1);
  expect(series('ERR_UPSTREAM_TIMEOUT', 'none')).toBe(1);
  expect(series('cancelled', 'session')).toBe(1);
});

test('ST2 has a histogram whose buckets add up, in seconds', () => {
  const text = metricsAfter(healthyMorning());
  const bucket = (le: string): number | undefined =>
    value(text, `mcp_bridge_request_duration_seconds_bucket{profile="work",le="${le}"}`);
  expect([
    bucket('0.025'),
    bucket('0.05'),
    bucket('0.1'),
    bucket('0.25'),
    bucket('0.5'),
    bucket('+Inf'),
  ]).toEqual([0, 3, 4, 4, 5, 5]);
  expect(value(text, 'mcp_bridge_request_duration_seconds_count{profile="work"}')).toBe(5);
  expect(value(text, 'mcp_bridge_request_duration_seconds_sum{profile="work"}')).toBeCloseTo(0.526);
});

test('ST2 says what is at this moment: sessions by state, clients, health', () => {
  const well = metricsAfter(healthyMorning());
  expect(value(well, 'mcp_bridge_sessions{profile="work",state="READY"}')).toBe(1);
  expect(value(well, 'mcp_bridge_clients{profile="work"}')).toBe(1);
  expect(value(well, 'mcp_bridge_healthy{profile="work"}')).toBe(1);
  const ill = metricsAfter([...healthyMorning(), ...outage()]);
  expect(value(ill, 'mcp_bridge_sessions{profile="work",state="READY"}')).toBeUndefined();
  expect(value(ill, 'mcp_bridge_sessions{profile="work",state="TRANSIENT_FAILURE"}')).toBe(1);
  expect(value(ill, 'mcp_bridge_healthy{profile="work"}')).toBe(0);
  expect(value(ill, 'mcp_bridge_session_transitions_total{profile="work",state="CONNECTING"}')).toBe(2);
});

test('ST2 says what it is itself, and what its readers have lost', () => {
  const text = metricsAfter([]);
  expect(value(text, 'mcp_bridge_info{version="1.2.3",mode="daemon"}')).toBe(1);
  expect(value(text, 'mcp_bridge_start_time_seconds')).toBe(NOON / 1000);
  expect(value(text, 'mcp_bridge_resident_memory_bytes')).toBe(5e7);
  expect(value(text, 'mcp_bridge_events_dropped_total')).toBe(3);
  expect(text).toContain('# TYPE mcp_bridge_events_dropped_total counter\n');
});

test('keeps to the text format, also with odd names', () => {
  const labels = { profile: 'a "b"\\\nc' };
  const text = metricsAfter([...healthyMorning(), told(labels, answered(1)), ...outage()]);
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) mcp_bridge_\w+ .+|mcp_bridge_\w+(\{(\w+="([^"\\]|\\["\\n])*",?)+\})? [\d.e+-]+)$/,
    );
  }
  expect(text).toContain('profile="a \\"b\\"\\\\\\nc"');
  const types = text.match(/^# TYPE (\S+)/gm) ?? [];
  expect(new Set(types).size).toBe(types.length);
});

test('SC4 a family has so many series and no more', () => {
  const events = Array.from({ length: 1500 }, (_, n) =>
    told({ ...s1, profile: `p${n}` }, { type: 'request.hedged', method: 'm' }),
  );
  expect(metricsAfter(events).match(/^mcp_bridge_hedges_total\{/gm)).toHaveLength(1000);
});
