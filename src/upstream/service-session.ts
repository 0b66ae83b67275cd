// What a client's conversation needs of the session behind it, and what it gives to one. `Session` is one that the client
// has to itself; the leases of `pool/` are ones that it shares.

import type { Signal } from '../platform/abort.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { RetryBudget } from '../policy/retry-budget.ts';
import type { Route } from '../policy/route.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { ClientSink, Question } from './call.ts';
import type { Established } from './handshake.ts';

/** A client, as its session knows it. */
export interface SessionClient {
  /** The client's `initialize`, sent at every handshake. */
  readonly initialize: Envelope;
  /** Takes what the service sends outside of any call. */
  readonly unsolicited: ClientSink;
  /** Called after each handshake; `isFirst` is false where it replaces a session that this client knew. */
  readonly onEstablished: (established: Established, isFirst: boolean) => void;
  /** Called when the service answers `initialize` with a JSON-RPC error. */
  readonly onRejected: (answer: Envelope) => void;
}

export interface ServiceSession {
  readonly state: Connectivity;
  readonly budget: Pick<RetryBudget, 'deposit' | 'withdraw'>;
  /** The way for a request that was read at `openedAt` (Clock.now()). */
  route(openedAt: number): Route;
  /** Asks for the session and waits until its state changes, or `signal` aborts. */
  awaitChange(signal: Signal): Promise<void>;
  /** Asks for the session; the state says what comes of it. */
  want(): void;
  /** One try on the persistent session, which must be READY. Never rejects. */
  call(question: Question, signal: Signal): Promise<AttemptOutcome>;
  /** One try with a connection and a session of its own. Never rejects. */
  callPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome>;
  /** Sends a notification of the client's, as soon as there is a session to send it on, until `signal` aborts. */
  notify(body: Buffer, signal: AbortSignal): Promise<void>;
  /** The machine has slept or changed networks. */
  checkNow(reason: string): void;
  /** The client needs it no more. */
  close(signal: AbortSignal): Promise<void>;
}
