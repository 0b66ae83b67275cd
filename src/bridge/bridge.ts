// One client's conversation: line → envelope → route → dispatch → reply → line. It takes a pair of line streams and a
// way to make a session; whether the lines come from stdio or from a socket it does not know.

import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import type { Settings } from '../config/settings.ts';
import { idText, scanEnvelope, type Content, type Envelope, type ScanResult } from '../protocol/envelope.ts';
import { pong } from '../protocol/own-message.ts';
import { errorReply, internalFailure, type ErrorCode, type Failure } from '../protocol/errors.ts';
import { withId } from '../protocol/splice.ts';
import { deadline } from '../policy/deadline.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink, MessageOrigin } from '../upstream/call.ts';
import type { Rng } from '../platform/random.ts';
import { BATCH_REVISION, BatchReply } from './batch-reply.ts';
import { clientName, clientVersion } from './client-kind.ts';
import { Deadlines } from './deadlines.ts';
import type { Reply } from './dispatch.ts';
import { LineReader } from './line-reader.ts';
import { LineWriter } from './line-writer.ts';
import { OnTheWay } from './on-the-way.ts';
import { PendingTable, type PendingRequest, type ReplyTo } from './pending.ts';
import { DUPLICATE, NO_DISCOVER, tooLong } from './refusals.ts';
import { ServerRequests } from './server-requests.ts';
import type { OfferSignIn } from './sign-in-offer.ts';
import { ServiceView, type ServiceViewOptions } from './service-view.ts';
import type { KnownAnswersStore } from './known-answers.ts';
import { Waited } from './waited.ts';

export interface BridgeOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly rng: Rng;
  readonly serviceHost: string;
  /** Makes the session for a client that introduced itself with this `initialize`. No I/O yet. */
  readonly openSession: ServiceViewOptions['openSession'];
  /** Where the last known answers for a client of this kind are kept. */
  readonly openStore: (initialize: Envelope) => KnownAnswersStore;
  readonly offerSignIn?: OfferSignIn | undefined;
  /** The lines come through a front, which may put words between them. */
  readonly isBehindFront?: boolean;
  /** Takes what goes wrong with a line in a way that nobody foresaw; without it, that is thrown. */
  readonly onFault?: (error: unknown) => void;
}

export class Bridge {
  readonly #options: BridgeOptions;
  readonly #writer: LineWriter;
  readonly #pending = new PendingTable();
  readonly #deadlines: Deadlines;
  readonly #serverRequests = new ServerRequests();
  readonly #write: ReplyTo = (line) => {
    if (line !== undefined) this.#writer.write(line, this.#pending.size === 0);
  };
  readonly #sink: ClientSink = {
    deliver: (message, origin) => this.#fromService(message, origin),
    ready: () => this.#writer.ready(),
  };
  #service: ServiceView | undefined;
  #clientName: string | undefined;
  #isClosing = false;
  readonly #notifying = new OnTheWay();
  readonly #waited: Waited;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#writer = new LineWriter(options.output);
    this.#waited = new Waited(options.isBehindFront === true);
    this.#deadlines = new Deadlines(options.clock, () => this.#pending.all());
  }

  /** Relays until the client's side ends. Resolves with what ended it; the session is still open then. */
  run(): Promise<string> {
    const { input, output, settings, onFault } = this.#options;
    const reader = new LineReader(settings.maxLineBytes, {
      onLine: (line) => this.#onLine(line),
      onTooLong: (id, size) => this.#refuse(this.#write, id, tooLong(size, settings.maxLineBytes)),
    });
    return new Promise((resolve) => {
      const guard = (read: () => void): void => {
        try {
          if (!this.#isClosing) read();
        } catch (error) {
          if (onFault === undefined) throw error;
          onFault(error);
        }
      };
      input.on('data', (chunk: Buffer) => guard(() => reader.feed(chunk)));
      input.on('data', () => this.#writer.holdUp(input));
      input.once('end', () => {
        guard(() => reader.end());
        resolve('the client closed its end');
      });
      input.on('error', (error) => resolve(`reading from the client failed (${error.message})`));
      output.on('error', (error) => resolve(`writing to the client failed (${error.message})`));
      output.once('close', () => resolve('the client closed its end'));
    });
  }

  /** Withdraws what is in flight, then ends the session, as far as `signal` leaves time for it. */
  async close(signal: AbortSignal): Promise<void> {
    this.#isClosing = true;
    this.#deadlines.stop();
    for (const pending of this.#pending.all()) pending.withdraw({ kind: 'shutdown' });
    await this.#service?.close(signal);
    this.#writer.flush();
  }

  /** The machine has slept or changed networks. */
  checkNow(reason: string): void {
    this.#service?.checkNow(reason);
  }

  #onLine(line: Content): void {
    if (this.#waited.take(line)) return;
    const scan = scanEnvelope(line);
    if (scan.kind === 'batch') this.#onBatch(scan.elements, this.#write);
    else this.#onScanned(scan, this.#write);
  }

  #onBatch(elements: readonly ScanResult[], write: ReplyTo): void {
    const revision = this.#service?.protocolVersion;
    if (revision !== BATCH_REVISION) {
      const message = `A batch arrived, but revision ${revision ?? '(none yet)'} of the protocol has none.`;
      this.#refuse(write, null, { code: 'ERR_CLIENT_BATCH_UNSUPPORTED', message });
      return;
    }
    if (elements.length === 0) {
      this.#refuse(write, null, { code: 'ERR_CLIENT_INVALID_REQUEST', message: 'The batch is empty.' });
      return;
    }
    const batch = new BatchReply(write);
    for (const element of elements) this.#onScanned(element, batch.part(element));
    batch.close();
  }

  #onScanned(scan: ScanResult, reply: ReplyTo): void {
    switch (scan.kind) {
      case 'message':
        this.#onMessage(scan.message, reply);
        return;
      case 'not-json':
        this.#refuse(reply, null, {
          code: 'ERR_CLIENT_NOT_JSON',
          message: `The client sent a line that is not JSON: ${scan.reason} at byte ${scan.at}.`,
        });
        return;
      case 'invalid':
        // A bad answer of the client's gets no answer back: there is no request that it could belong to.
        if (scan.id !== null && !scan.isRequest) reply(undefined);
        this.#refuse(scan.id !== null && !scan.isRequest ? undefined : reply, scan.id, {
          code: 'ERR_CLIENT_INVALID_REQUEST',
          message: `The client sent something that is not a JSON-RPC message: ${scan.reason}.`,
        });
        return;
      case 'batch':
        this.#refuse(reply, null, {
          code: 'ERR_CLIENT_INVALID_REQUEST',
          message: 'A batch cannot hold a batch.',
        });
    }
  }

  #onMessage(message: Envelope, reply: ReplyTo): void {
    switch (message.kind) {
      case 'request':
        this.#onRequest(message, reply);
        return;
      case 'notification':
        this.#onNotification(message);
        return;
      case 'response':
        if (!this.#serverRequests.answer(message)) {
          this.#options.observer({
            type: 'client.bad-line',
            code: 'ERR_CLIENT_INVALID_REQUEST',
            reason: 'an answer that nobody waits for',
          });
        }
    }
  }

  #onRequest(message: Envelope, reply: ReplyTo): void {
    const { clock, settings } = this.#options;
    // Answered here, because both ask about the bridge's own end of the pipe. `server/discover` is how newer clients ask
    // whether a server speaks a revision without sessions; "unknown method" makes them go on with `initialize`.
    if (message.method === 'ping') {
      reply(pong(message));
      return;
    }
    if (message.method === 'server/discover' && this.#service === undefined) {
      this.#refuse(reply, idText(message), NO_DISCOVER);
      return;
    }
    if (this.#service === undefined && message.method !== 'initialize') {
      const text = `The client sent ${message.method.slice(0, 80)} before \`initialize\`.`;
      this.#refuse(reply, idText(message), { code: 'ERR_CLIENT_NOT_INITIALIZED', message: text });
      return;
    }
    if (this.#pending.size >= settings.maxInFlight) {
      const text = `${settings.maxInFlight} requests wait for answers already; no more are taken.`;
      this.#refuse(reply, idText(message), { code: 'ERR_CLIENT_TOO_MANY_REQUESTS', message: text });
      return;
    }
    if (!this.#hasRoomFor(message)) {
      const text = `The messages on their way to the service hold ${settings.maxInFlightBytes} bytes already; no more are taken.`;
      this.#refuse(reply, idText(message), { code: 'ERR_CLIENT_TOO_MANY_REQUESTS', message: text });
      return;
    }
    const pending = this.#pending.open(message, clock.now() - this.#waited.ms, reply);
    if (pending === undefined) {
      this.#refuse(reply, idText(message), DUPLICATE);
      return;
    }
    // A fault of the bridge's own must cost one request, not the conversation.
    const fail = (error: unknown): void =>
      this.#settle(pending, { kind: 'error', failure: internalFailure(error) });
    try {
      void this.#ask(pending).then((result) => this.#settle(pending, result), fail);
    } catch (error) {
      fail(error);
    }
  }

  #ask(pending: PendingRequest): Promise<Reply> {
    const { message } = pending;
    if (message.method === 'initialize') {
      this.#introduce(message);
      // Its time limit ends in an answer, not in an error.
      return (this.#service as ServiceView).initialize(pending);
    }
    const { limitMs, maxMs } = deadline(message.method, this.#clientName, this.#options.settings);
    this.#deadlines.set(pending, pending.openedAt + limitMs);
    const sink = maxMs > limitMs ? this.#extendingSink(pending, limitMs, maxMs) : this.#sink;
    return (this.#service as ServiceView).request(pending, sink, (answer) =>
      this.#settle(pending, { kind: 'answer', message: answer }),
    );
  }

  /** Gives the request more time with each sign of progress, up to a maximum. */
  #extendingSink(pending: PendingRequest, limitMs: number, maxMs: number): ClientSink {
    const { clock } = this.#options;
    return {
      deliver: (incoming, origin) => {
        if (incoming.method === 'notifications/progress') {
          this.#deadlines.set(pending, Math.min(clock.now() + limitMs, pending.openedAt + maxMs));
        }
        this.#sink.deliver(incoming, origin);
      },
      ready: this.#sink.ready,
    };
  }

  /** A client that introduces itself again is still one client, so its old session has no more users. */
  #introduce(initialize: Envelope): void {
    const { settings, clock, rng, observer, serviceHost, openSession, openStore } = this.#options;
    this.#clientName = clientName(initialize);
    const version = clientVersion(initialize) ?? '';
    observer({ type: 'client.introduced', name: this.#clientName ?? '', version });
    void this.#service?.close(AbortSignal.abort());
    this.#service = new ServiceView({
      initialize,
      settings,
      clock,
      rng,
      observer,
      serviceHost,
      openSession,
      store: openStore(initialize),
      sink: this.#sink,
      offerSignIn: this.#options.offerSignIn,
      announce: (line) => {
        if (!this.#isClosing) this.#writer.write(line);
      },
    });
  }

  #settle(pending: PendingRequest, result: Reply): void {
    if (!this.#pending.settle(pending)) return;
    const ms = this.#options.clock.now() - pending.openedAt;
    const { route, message } = pending;
    let bytes = message.byteLength;
    let outcome: 'answered' | 'cancelled' | ErrorCode;
    switch (result.kind) {
      case 'answer':
        pending.reply(withId(result.message, pending.writtenId));
        bytes += result.message.byteLength;
        outcome = 'answered';
        break;
      case 'error':
        pending.reply(errorReply(pending.id, result.failure));
        outcome = result.failure.code;
        break;
      case 'silence':
        pending.reply(undefined);
        outcome = 'cancelled';
    }
    this.#options.observer({ type: 'request.settled', method: message.method, ms, route, bytes, outcome });
  }

  #onNotification(message: Envelope): void {
    switch (message.method) {
      case 'notifications/cancelled': {
        const span = message.spans.requestId;
        const pending = span === undefined ? undefined : this.#pending.find(message.written(span));
        // The specification forbids to cancel `initialize`; a client that does gets its answer all the same.
        if (pending?.message.method !== 'initialize') pending?.withdraw({ kind: 'cancelled', message });
        return;
      }
      case 'notifications/initialized':
        // Each handshake sends its own.
        return;
      default:
        if (this.#service === undefined) return;
        if (!this.#notifying.isFull && this.#hasRoomFor(message))
          void this.#notifying.add(message.byteLength, this.#service.notify(message.bytes));
        else if (this.#notifying.drop()) {
          const reason = `${message.method.slice(0, 80)} was dropped: too much is on its way to the service`;
          this.#options.observer({ type: 'client.bad-line', code: 'ERR_CLIENT_TOO_MANY_REQUESTS', reason });
        }
    }
  }

  #hasRoomFor(message: Envelope): boolean {
    const held = this.#pending.bytes + this.#notifying.bytes;
    return held + message.byteLength <= this.#options.settings.maxInFlightBytes;
  }

  /** A notification or a request from the service, on its way to the client. */
  #fromService(message: Envelope, origin: MessageOrigin): void {
    if (this.#isClosing) return;
    if (message.kind === 'request') {
      const line = this.#serverRequests.open(message, origin);
      if (line === undefined)
        this.#options.observer({ type: 'upstream.dropped', reason: 'too many requests from the service' });
      else this.#writer.write(line);
    } else if (message.method === 'notifications/cancelled') {
      const line = this.#serverRequests.cancel(message, origin);
      if (line !== undefined) this.#writer.write(line);
    } else this.#writer.write(message.content);
  }

  #refuse(reply: ReplyTo | undefined, id: string | null, failure: Failure): void {
    this.#options.observer({ type: 'client.bad-line', code: failure.code, reason: failure.message });
    reply?.(errorReply(id, failure));
  }
}
