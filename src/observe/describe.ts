// Events in words: how much each matters, and one line of text. The log on stderr and `mcp-bridge logs` read the same.

import type { BridgeEvent } from './events.ts';

const LEVELS = ['silent', 'error', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

/** Whether what is of level `of` is left out where only `shown` and more important is written. */
export function isHidden(of: Level, shown: Level): boolean {
  return LEVELS.indexOf(of) > LEVELS.indexOf(shown);
}

export function levelOf(event: BridgeEvent): Exclude<Level, 'silent'> {
  switch (event.type) {
    case 'session.state':
      return event.state === 'TRANSIENT_FAILURE' ? 'error' : 'info';
    case 'session.health':
      return event.isWell ? 'debug' : 'info';
    case 'request.settled':
      return event.outcome === 'answered' || event.outcome === 'cancelled' ? 'debug' : 'error';
    case 'daemon.state':
      return event.state === 'fault' ? 'error' : 'info';
    case 'client.bad-line':
      return 'error';
    case 'request.fallback':
    case 'upstream.listen':
      return 'debug';
    case 'session.handshake':
    case 'session.route':
    case 'session.restored':
    case 'request.retried':
    case 'request.hedged':
    case 'client.attached':
    case 'client.introduced':
    case 'client.detached':
    case 'sign-in.state':
    case 'sign-in.page':
    case 'pool.session':
    case 'upstream.dropped':
    case 'config.changed':
    case 'bridge.closed':
      return 'info';
  }
}

/** One line, whatever the event holds. */
export function describe(event: BridgeEvent): string {
  // A file or another process may hold a kind of event that this version does not know.
  const text: string | undefined = words(event);
  return printable(text ?? '');
}

/** Without what moves a terminal's cursor or ends a line: some texts begin at the service. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

function words(event: BridgeEvent): string {
  switch (event.type) {
    case 'session.state':
      return `${event.state}: ${event.reason}`;
    case 'session.handshake': {
      const session = event.hasSessionId ? 'with a session' : 'without a session id';
      return `${event.transport}, revision ${event.protocolVersion}, ${session}, ${Math.round(event.ms)} ms`;
    }
    case 'session.route':
      return `${event.route}: ${event.reason}`;
    case 'session.health':
      return `${event.isWell ? 'well' : 'unwell'}, ${Math.round(event.ms)} ms`;
    case 'session.restored':
      return `${event.requests} requests sent again, ${event.failed} failed`;
    case 'request.retried':
      return `${event.method.slice(0, 80)} after try ${event.attempt} met ${event.code} (${event.progress})`;
    case 'request.hedged':
      return `${event.method.slice(0, 80)} stays silent and is asked once more beside it`;
    case 'request.fallback':
      return `${event.method.slice(0, 80)} goes on a session of its own`;
    case 'request.settled':
      return `${event.method.slice(0, 80)} ${event.outcome} after ${event.ms.toFixed(1)} ms`;
    case 'client.attached':
      return `by ${event.by}, to ${event.service}`;
    case 'client.introduced':
      return `${event.name.slice(0, 80)} ${event.version.slice(0, 40)}`;
    case 'client.detached':
    case 'bridge.closed':
    case 'config.changed':
    case 'upstream.dropped':
      return event.reason;
    case 'client.bad-line':
      return `${event.code}: ${event.reason}`;
    case 'upstream.listen':
      return `${event.state} (${event.reason})`;
    case 'sign-in.state': {
      const until = event.expiresAt === undefined ? '' : ` until ${new Date(event.expiresAt).toISOString()}`;
      return `${event.state}${until}`;
    }
    case 'sign-in.page':
    case 'pool.session':
      return `${event.change}: ${event.reason}`;
    case 'daemon.state':
      return `${event.state}: ${event.reason}`;
  }
}
