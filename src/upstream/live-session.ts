// One handshake's worth of session: its transport, the calls that run on it, and the numbers that it gives them. It is
// never revived: what comes back late to a session that is over finds nothing to change.
//
// Every call gets an id of the session's own, and so does its progress token. So two clients, or two tries at the same
// request, never meet in the service under one number, and an answer finds exactly the try that it belongs to.

import { sleep, unlessAborted, type Clock } from '../platform/clock.ts';
import type { Signal } from '../platform/abort.ts';
import type { AttemptOutcome, FailedAttempt } from '../policy/attempt.ts';
import { resumeDelayMs } from '../policy/stream-delay.ts';
import { idText, type Envelope } from '../protocol/envelope.ts';
import { ownMessage, pong } from '../protocol/own-message.ts';
import { respan } from '../protocol/splice.ts';
import type { Observer } from '../observe/events.ts';
import { Call, Race, type ClientSink, type Question, type Withdrawal } from './call.ts';
import type { MessageSink, ResponseResult, StreamEnd } from './response-reader.ts';
import { sendWithRetries } from './send.ts';
import {
  OTHERS_ANSWER,
  SESSION_OVER,
  STOPPED,
  UNKNOWN_SESSION,
  isBadRequest,
  judgeResponse,
} from './response-verdict.ts';
import { Pace } from './pace.ts';
import { NO_MESSAGES, type Wire } from './wire.ts';

/** How long a cancelled exchange stays open for its cancellation to arrive, in milliseconds. */
const CANCEL_GRACE_MS = 1000;
const MAX_TASK_TOKENS = 256;
const MAX_UNDER_WAY = 4096;
const ONCE = { once: true } as const;
/** How long what is on its way may hold back the end of the session, in milliseconds. */
const LAST_SENDS_MS = 700;
/** How long the service may take to say whether it knows the session, in milliseconds. */
const VERIFY_MS = 5000;

const PING = ownMessage('{"jsonrpc":"2.0","id":0,"method":"ping"}');

export interface LiveSessionOptions {
  readonly clock: Clock;
  readonly observer: Observer;
  /** Takes what the service sends outside of any call. */
  readonly unsolicited: ClientSink;
  /** Of the service as earlier sessions knew it. */
  readonly pace?: Pace;
}

export class LiveSession {
  readonly clock: Clock;
  readonly #observer: Observer;
  readonly #unsolicited: ClientSink;
  readonly #calls = new Map<number, Call>();
  /** Tasks outlive their call, and so do their progress tokens (MCP 2025-11-25, Tasks). */
  readonly #taskTokens = new Map<number, Call>();
  /** How fast this service usually answers what. */
  readonly pace: Pace;
  /** It takes no more calls, for good. */
  isOver = false;
  /** Exchanges that have not ended, and who waits until there is none. */
  #underWay = 0;
  readonly #onQuiet: (() => void)[] = [];
  readonly #over = new AbortController();
  #wire: Wire | undefined;
  #nextId = 0;
  #verifying: Promise<AttemptOutcome> | undefined;

  constructor(options: LiveSessionOptions) {
    this.clock = options.clock;
    this.pace = options.pace ?? new Pace();
    this.#observer = options.observer;
    this.#unsolicited = options.unsolicited;
  }

  /** Aborts when the session is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get wire(): Wire {
    if (this.#wire === undefined) throw new Error('the session has no transport yet');
    return this.#wire;
  }

  set wire(wire: Wire) {
    this.#wire = wire;
  }

  /** Where the transport delivers what does not come in answer to a POST. */
  get listenSink(): MessageSink {
    return {
      deliver: (message) => this.receive(message, undefined),
      ready: () => this.#unsolicited.ready(),
    };
  }

  /**
   * Sends one request and waits for its answer. Never rejects.
   * @param signal when it aborts, the request is withdrawn; its reason must be a Withdrawal
   * @param fresh on a connection of its own
   * @param onOutcome called before the promise resolves
   */
  call(
    question: Question,
    signal: Signal,
    fresh = false,
    onOutcome?: (outcome: AttemptOutcome, question: Question) => void,
  ): Promise<AttemptOutcome> {
    if (signal.aborted) return Promise.resolve({ kind: 'aborted', progress: 'not-sent' });
    if (this.isOver) onOutcome?.(SESSION_OVER, question);
    if (this.isOver) return Promise.resolve(SESSION_OVER);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        const mayHaveRun = race.calls.some((call) => call.progress === 'unknown');
        race.settle({ kind: 'aborted', progress: mayHaveRun ? 'unknown' : 'not-sent' });
        for (const call of race.calls) this.#withdraw(call, signal.reason as Withdrawal);
      };
      const race = new Race((outcome) => {
        signal.removeEventListener('abort', onAbort);
        if (outcome.kind === 'answered') question.onAnswer?.(outcome.message);
        for (const call of race.calls) {
          this.#calls.delete(call.id);
          if (call.isTask) this.#keepTaskToken(call);
        }
        this.#closeStream();
        onOutcome?.(outcome, question);
        resolve(outcome);
      });
      signal.addEventListener('abort', onAbort, ONCE);
      this.#start(question, race, fresh);
    });
  }

  /** The clients' calls that wait for their answers. */
  running(): Call[] {
    return [...this.#calls.values()].filter((call) => !call.isSettled && call.request !== PING);
  }

  /** Asks the same once more, on a connection of its own; the first answer counts, and the other try is cancelled. */
  hedge(call: Call): void {
    if (!call.isSettled && !this.isOver) this.#start(call.question, call.race, true);
  }

  /** Asks anew what still waits for a connection, on the connections that are used now. It was not written, so even a write may. */
  requeue(call: Call): void {
    if (call.isSettled || call.progress !== 'not-sent' || this.isOver) return;
    call.takeBack();
    this.#start(call.question, call.race, false);
  }

  /**
   * Whether the service is there and knows the session, asked on a connection of its own. Never rejects.
   * @returns `failed` where no answer came, or the session is not known
   */
  ping(signal: AbortSignal): Promise<AttemptOutcome> {
    return this.call({ request: PING, sink: NO_MESSAGES, safety: 'unsafe' }, signal, true);
  }

  #pingInTime(limitMs: number): Promise<AttemptOutcome> {
    const limit = new AbortController();
    const timer = this.clock.after(limitMs, () => limit.abort({ kind: 'deadline' }));
    return this.ping(limit.signal).finally(() => timer.cancel());
  }

  /** Sends a notification or a response. Never rejects. */
  send(body: Buffer, signal: AbortSignal = this.signal): Promise<ResponseResult> {
    this.#underWay += 1;
    return sendWithRetries(this.wire, body, this.listenSink, this.clock, signal).finally(() =>
      this.#endExchange(),
    );
  }

  /**
   * Takes no more calls; those that are running go on. What nobody has seen yet is taken back, to be made on the next session.
   * @param dead why nobody will answer them, where that is so: then those that may be made anew elsewhere fail with it
   */
  retire(dead?: FailedAttempt): void {
    this.isOver = true;
    for (const call of this.running()) {
      const mayMove = dead !== undefined && call.question.safety === 'safe';
      if (mayMove || call.progress === 'not-sent') this.giveUp(call, dead ?? SESSION_OVER);
    }
    this.#over.abort();
    this.#closeStream();
  }

  /** Ends one try: no answer to it is waited for any more. */
  giveUp(call: Call, reason: FailedAttempt): void {
    call.settle({ ...reason, progress: call.progress });
    call.exchange.abort();
  }

  /** Ends the session here: every call still running fails with `reason`, and nothing that comes later counts. */
  abandon(reason: FailedAttempt): void {
    this.retire(reason);
    for (const call of this.#calls.values()) this.giveUp(call, reason);
  }

  /** Ends the session at the service too, after what is on its way has been sent. Never rejects. */
  async end(signal: AbortSignal): Promise<void> {
    // A service that takes no cancellations any more may still take the end.
    await Promise.race([unlessAborted(this.quiet(), signal), sleep(this.clock, LAST_SENDS_MS, signal)]);
    if (!signal.aborted && this.#wire !== undefined) await this.#wire.end(signal);
    this.abandon(STOPPED);
  }

  /** A stream that carries answers is of no use once the session is over and nothing waits for one. */
  #closeStream(): void {
    if (!this.isOver || this.#wire?.answersOnListen !== true || this.running().length > 0) return;
    void this.#wire.end(this.signal);
  }

  /** Resolves when no exchange is under way. */
  quiet(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onQuiet.push(resolve);
    });
  }

  #endExchange(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    for (const resolve of this.#onQuiet.splice(0)) resolve();
  }

  #start(question: Question, race: Race, fresh: boolean): void {
    const usual = this.pace.of(question.request);
    const call = new Call(this, this.#nextId, question, race, usual, fresh);
    this.#nextId += 1;
    this.#calls.set(call.id, call);
    this.#underWay += 1;
    void this.wire.post(call.body, call).then((result) => {
      if (call.isSettled) this.#endExchange();
      else void this.#goOn(call, result);
    });
  }

  /** The request's exchange behind the response to its POST, through every resumption of its stream, until the call is settled. */
  async #goOn(call: Call, response: ResponseResult): Promise<void> {
    try {
      const wire = this.wire;
      let result = response;
      let resumeFrom: StreamEnd | undefined;
      let refusals = 0;
      let resumptions = 0;
      while (!call.isSettled) {
        const mayBeLost = resumeFrom === undefined && isBadRequest(result) && wire.hasSession;
        const isLost = mayBeLost && (call.request === PING || !(await this.isKnown()));
        const next = isLost ? UNKNOWN_SESSION : judgeResponse(result, wire, call.progress, resumeFrom);
        if (next === 'wait') return;
        if ('kind' in next) return call.settle(next);
        refusals = next === resumeFrom ? refusals + 1 : 0;
        resumeFrom = next;
        const delayMs = resumeDelayMs(next.retryMs, resumptions, refusals);
        resumptions += 1;
        await sleep(this.clock, delayMs, call.signal);
        if (call.signal.aborted || call.isSettled) return;
        result = await wire.resume(next.lastEventId as string, call);
      }
    } finally {
      this.#endExchange();
    }
  }

  /**
   * Many services answer 400 instead of 404 for a session that they do not know, and 400 for other reasons too. A ping, which
   * cannot be a bad request, tells the two apart; one for all who ask at once.
   */
  async isKnown(): Promise<boolean> {
    this.#verifying ??= this.#pingInTime(VERIFY_MS).finally(() => {
      this.#verifying = undefined;
    });
    const outcome = await this.#verifying;
    // Where nobody can be asked, the session counts as lost: a bad request ran nothing, so asking anew does no harm.
    if (outcome.kind !== 'failed') return outcome.kind === 'answered';
    return outcome.progress === 'refused' && outcome.sessionLost !== true;
  }

  /** A message of the service's: in answer to a call, or out of the blue. */
  receive(message: Envelope, via: Call | undefined): void {
    switch (message.kind) {
      case 'response':
        this.#receiveResponse(message, via);
        return;
      case 'request':
        if (message.method === 'ping') {
          // A service that does not take the answers need not get more of them.
          if (this.#underWay < MAX_UNDER_WAY) void this.send(pong(message));
          return;
        }
        if (via !== undefined) via.race.hasAsked = true;
        (via?.client ?? this.#unsolicited).deliver(message, this);
        return;
      case 'notification':
        if (message.method === 'notifications/progress') this.#receiveProgress(message);
        else (via?.client ?? this.#unsolicited).deliver(message, this);
    }
  }

  #receiveResponse(message: Envelope, via: Call | undefined): void {
    const id = message.wholeNumber(message.id);
    const call = this.#calls.get(id) ?? (id === -1 && idText(message) === 'null' ? via : undefined);
    if (call !== undefined) {
      if (call.isSettled) return;
      if (call.startedAt !== undefined) call.usual.noteAnswer(this.clock.now() - call.startedAt);
      call.settle({ kind: 'answered', message });
      for (const other of call.race.calls) if (other !== call) this.#withdraw(other, { kind: 'superseded' });
      return;
    }
    this.#observer({ type: 'upstream.dropped', reason: 'an answer to a request that is not waiting' });
    // One that is over, as after a cancellation: the answer to this call may still follow.
    if (id >= 0 && id < this.#nextId) return;
    via?.settle(OTHERS_ANSWER);
  }

  #receiveProgress(message: Envelope): void {
    const span = message.spans.progressToken;
    const id = message.wholeNumber(span);
    const call = this.#calls.get(id) ?? this.#taskTokens.get(id);
    const token = call?.progressToken;
    if (call === undefined || span === undefined || token === undefined || (call.isSettled && !call.isTask)) {
      this.#observer({ type: 'upstream.dropped', reason: 'progress of a request that is not waiting' });
      return;
    }
    const progress = respan(message, span, token);
    if (call.race.tells(call, progress)) call.client.deliver(progress, this);
  }

  #keepTaskToken(call: Call): void {
    this.#taskTokens.set(call.id, call);
    const [oldest] = this.#taskTokens.keys();
    if (this.#taskTokens.size > MAX_TASK_TOKENS && oldest !== undefined) this.#taskTokens.delete(oldest);
  }

  #withdraw(call: Call, withdrawal: Withdrawal): void {
    const { exchange } = call;
    // The specification forbids to cancel `initialize`; what has not been written needs no cancelling.
    if (call.progress === 'not-sent' || call.request.method === 'initialize' || this.isOver) {
      exchange.abort();
      return;
    }
    const timer = this.clock.after(CANCEL_GRACE_MS, () => exchange.abort());
    void this.send(call.cancellation(withdrawal)).finally(() => {
      timer.cancel();
      exchange.abort();
    });
  }
}
