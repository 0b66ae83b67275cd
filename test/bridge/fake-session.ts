// A session in a test's hands, in place of src/upstream/session.ts: the test says what state it is in, when a handshake is
// done, and what comes of each call.
import type { AttemptOutcome, FailedAttempt, Progress } from '../../src/policy/attempt.ts';
import type { Connectivity } from '../../src/policy/connectivity.ts';
import type { Route } from '../../src/policy/route.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { Question } from '../../src/upstream/call.ts';
import type { Established } from '../../src/upstream/handshake.ts';
import type { ServiceSession, SessionClient } from '../../src/upstream/service-session.ts';
import { messageOf } from '../support/envelopes.ts';

export class FakeCall {
  /** Undefined while there is none. */
  seen: AttemptOutcome | undefined;
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly outcome: Promise<AttemptOutcome>;
  readonly #resolve: (outcome: AttemptOutcome) => void;

  constructor(question: Question, signal: AbortSignal) {
    this.question = question;
    this.signal = signal;
    const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    void promise.then((outcome) => (this.seen = outcome));
    signal.addEventListener('abort', () => resolve({ kind: 'aborted', progress: 'unknown' }), { once: true });
  }

  get method(): string {
    return this.question.request.method;
  }

  answer(result: unknown): void {
    this.#resolve({ kind: 'answered', message: messageOf({ jsonrpc: '2.0', id: 0, result }) });
  }

  fail(progress: Progress, code: ErrorCode, more: Partial<FailedAttempt> = {}): void {
    this.#resolve({ kind: 'failed', progress, failure: { code, message: 'It went wrong.' }, ...more });
  }

  answerError(code = -32603): void {
    const message = messageOf({ jsonrpc: '2.0', id: 0, error: { code, message: 'no' } });
    this.#resolve({ kind: 'answered', message });
  }
}

export class FakeSession {
  readonly parts: SessionClient;
  state: Connectivity = { kind: 'IDLE' };
  readonly budget = { deposit: () => {}, withdraw: () => true };
  readonly calls: FakeCall[] = [];
  readonly notes: string[] = [];
  readonly checks: string[] = [];
  /** How often somebody has asked for the session. */
  wanted = 0;
  #handshakes = 0;
  #change = Promise.withResolvers<void>();

  constructor(parts: SessionClient) {
    this.parts = parts;
  }

  get asSession(): ServiceSession {
    return this;
  }

  /** The one call that was made with this method. */
  call1(method: string): FakeCall {
    const [call, ...more] = this.calls.filter((each) => each.method === method);
    if (call === undefined || more.length > 0)
      throw new Error(`${more.length + 1} calls of ${method}, or none`);
    return call;
  }

  // ── what the test makes happen ────────────────────────────────────────────

  become(state: Connectivity): void {
    this.state = state;
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }

  /** The service is away: the last try failed with this. */
  fail(code: ErrorCode = 'ERR_UPSTREAM_UNREACHABLE'): void {
    const failure = { code, message: 'It went wrong.' };
    const outage = { since: 0, failure, lastFailedAt: 0 };
    this.become({ kind: 'TRANSIENT_FAILURE', failures: 1, outage, retryAt: 1000 });
  }

  /** A handshake is done; the service introduces itself with this. */
  establish(result: object): void {
    this.#handshakes += 1;
    const answer = messageOf({ jsonrpc: '2.0', id: 0, result });
    const { protocolVersion } = result as { protocolVersion: string };
    this.become({ kind: 'READY', epoch: this.#handshakes, since: 0 });
    const established = { kind: 'established', answer, protocolVersion, sessionId: `s${this.#handshakes}` };
    this.parts.onEstablished(established as Established, this.#handshakes === 1);
  }

  // ── what the bridge does ──────────────────────────────────────────────────

  route(): Route {
    if (this.state.kind === 'READY') return { kind: 'session' };
    return this.state.kind === 'SHUTDOWN'
      ? { kind: 'fail', failure: { code: 'ERR_BRIDGE_SHUTDOWN', message: 'The bridge is stopping.' } }
      : { kind: 'wait' };
  }

  async awaitChange(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.want();
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await Promise.race([this.#change.promise, aborted]);
  }

  want(): void {
    this.wanted += 1;
    if (this.state.kind === 'IDLE') this.become({ kind: 'CONNECTING', failures: 0, outage: undefined });
  }

  call(question: Question, signal: AbortSignal): Promise<AttemptOutcome> {
    const call = new FakeCall(question, signal);
    this.calls.push(call);
    return call.outcome;
  }

  callPerRequest(question: Question, signal: AbortSignal): Promise<AttemptOutcome> {
    return this.call(question, signal);
  }

  notify(body: Buffer): Promise<void> {
    this.notes.push(body.toString());
    return Promise.resolve();
  }

  checkNow(reason: string): void {
    this.checks.push(reason);
  }

  close(): Promise<void> {
    this.become({ kind: 'SHUTDOWN' });
    return Promise.resolve();
  }
}
