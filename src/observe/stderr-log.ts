// What a person sees in the client's log of this server: one line an event on stderr.

import type { Settings } from '../config/settings.ts';
import type { BridgeEvent, Observer } from './events.ts';

const LEVELS = ['silent', 'error', 'info', 'debug'] as const;
type Level = (typeof LEVELS)[number];

/** @param write takes a whole line */
export function stderrLog(
  level: Settings['logLevel'],
  wallTime: () => number,
  write: (line: string) => void,
): Observer {
  const isHidden = (of: Level): boolean => LEVELS.indexOf(of) > LEVELS.indexOf(level);
  return (event) => {
    // Every request ends in one of these, and hardly anybody reads them.
    if (event.type === 'request.settled' && event.outcome === 'answered' && isHidden('debug')) return;
    const { level: of, text } = describe(event);
    if (isHidden(of)) return;
    write(`${new Date(wallTime()).toISOString()} ${of} ${event.type} ${text}\n`);
  };
}

function describe(event: BridgeEvent): { readonly level: Level; readonly text: string } {
  switch (event.type) {
    case 'session.state':
      return {
        level: event.state === 'TRANSIENT_FAILURE' ? 'error' : 'info',
        text: `${event.state}: ${event.reason}`,
      };
    case 'session.handshake': {
      const session = event.hasSessionId ? 'with a session' : 'without a session id';
      return {
        level: 'info',
        text: `${event.transport}, revision ${event.protocolVersion}, ${session}, ${Math.round(event.ms)} ms`,
      };
    }
    case 'session.route':
      return { level: 'info', text: `${event.route}: ${event.reason}` };
    case 'session.health':
      return {
        level: event.isWell ? 'debug' : 'info',
        text: `${event.isWell ? 'well' : 'unwell'}, ${Math.round(event.ms)} ms`,
      };
    case 'session.restored':
      return { level: 'info', text: `${event.requests} requests sent again, ${event.failed} failed` };
    case 'request.retried':
      return {
        level: 'info',
        text: `${event.method.slice(0, 80)} after try ${event.attempt} met ${event.code}`,
      };
    case 'request.settled': {
      const isError = event.outcome !== 'answered' && event.outcome !== 'cancelled';
      return {
        level: isError ? 'error' : 'debug',
        text: `${event.method.slice(0, 80)} ${event.outcome} after ${event.ms.toFixed(1)} ms`,
      };
    }
    case 'client.bad-line':
      return { level: 'error', text: `${event.code}: ${event.reason}` };
    case 'upstream.dropped':
      return { level: 'info', text: event.reason };
    case 'upstream.listen':
      return { level: 'debug', text: `${event.state} (${event.reason})` };
    case 'bridge.closed':
      return { level: 'info', text: event.reason };
  }
}
