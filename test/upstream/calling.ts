// A session on a transport that is in the test's hands, and clients that call on it.
import type { AttemptOutcome } from '../../src/policy/attempt.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import type { Envelope } from '../../src/protocol/envelope.ts';
import type { ClientSink, MessageOrigin, Withdrawal } from '../../src/upstream/call.ts';
import { LiveSession } from '../../src/upstream/live-session.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeWire } from './fake-wire.ts';

export class Client implements ClientSink {
  readonly received: string[] = [];
  readonly origins: MessageOrigin[] = [];
  deliver(message: Envelope, origin: MessageOrigin): void {
    this.received.push(message.bytes.toString());
    this.origins.push(origin);
  }
  ready(): undefined {}
}

export interface Running {
  readonly outcome: Promise<AttemptOutcome>;
  readonly client: Client;
  withdraw(reason: Withdrawal): void;
  /** The outcome so far; undefined while there is none. */
  seen: AttemptOutcome | undefined;
}

export class Calling {
  readonly clock = new FakeClock();
  readonly events: BridgeEvent[] = [];
  /** Gets what belongs to no call. */
  readonly outside = new Client();
  readonly live: LiveSession;
  readonly wire: FakeWire;

  constructor(wire = new FakeWire()) {
    this.wire = wire;
    this.live = new LiveSession({
      clock: this.clock,
      observer: (event) => void this.events.push(event),
      unsolicited: this.outside,
    });
    this.live.wire = wire;
  }

  /** A client's request: its text, or only its method. */
  readonly call = (request = 'tools/call'): Running => {
    const message = request.startsWith('{') ? messageOf(request) : requestOf('mine', request, { name: 't' });
    const controller = new AbortController();
    const client = new Client();
    const outcome = this.live.call({ request: message, sink: client, safety: 'safe' }, controller.signal);
    const running: Running = {
      outcome,
      client,
      withdraw: (reason) => controller.abort(reason),
      seen: undefined,
    };
    void outcome.then((value) => (running.seen = value));
    return running;
  };
}

/** How many messages of the service were dropped. */
export function dropped(events: readonly BridgeEvent[]): number {
  return events.filter(({ type }) => type === 'upstream.dropped').length;
}

/** The client's own wish. */
export const cancelled: Withdrawal = {
  kind: 'cancelled',
  message: messageOf(
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"bored","requestId":"mine"}}',
  ),
};

/** The answer's text; empty where there is none. */
export function answerText(outcome: AttemptOutcome | undefined): string {
  return outcome?.kind === 'answered' ? outcome.message.bytes.toString() : '';
}
