// Events as a morning brings them, for the folds and the views.
import type { BridgeEvent, Labels, Observed } from '../../src/observe/events.ts';

export const NOON = Date.UTC(2026, 0, 1, 12);

export const work: Labels = { profile: 'work' };
export const s1: Labels = { profile: 'work', session: 's1' };
export const c1: Labels = { profile: 'work', client: 'c1' };

export function told(labels: Labels, event: BridgeEvent, at = NOON): Observed {
  return { at, labels, event };
}

export const answered = (ms: number, method = 'tools/call'): BridgeEvent => {
  return { type: 'request.settled', method, ms, outcome: 'answered', route: 'session' };
};

/** A client comes, a session opens, requests are answered. */
export function healthyMorning(at = NOON): Observed[] {
  return [
    told(c1, { type: 'client.attached', service: 'https://mcp.example.com/mcp', by: 'socket' }, at),
    told(c1, { type: 'client.introduced', name: 'claude-ai', version: '1.2.0' }, at + 1),
    told(s1, { type: 'session.state', state: 'CONNECTING', reason: 'a client wants it' }, at + 2),
    told(
      s1,
      {
        type: 'session.handshake',
        protocolVersion: '2025-11-25',
        transport: 'streamable-http',
        ms: 412,
        hasSessionId: true,
      },
      at + 414,
    ),
    told(s1, { type: 'session.state', state: 'READY', reason: 'handshake done' }, at + 414),
    ...[40, 42, 44, 90, 310].map((ms, n) => told(c1, answered(ms), at + 1000 + n)),
  ];
}

/** After a healthy morning the service goes away. */
export function outage(at = NOON + 60_000): Observed[] {
  return [
    told(
      s1,
      {
        type: 'session.state',
        state: 'CONNECTING',
        reason: 'The service does not answer.',
        code: 'ERR_UPSTREAM_UNREACHABLE',
      },
      at,
    ),
    told(
      s1,
      {
        type: 'session.state',
        state: 'TRANSIENT_FAILURE',
        reason: 'No connection (ECONNREFUSED).',
        code: 'ERR_UPSTREAM_UNREACHABLE',
        retryInMs: 20_000,
      },
      at + 10,
    ),
  ];
}
