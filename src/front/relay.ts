// One client's lines to whichever daemon there is, and the answers back. Survives the loss of a daemon: what is in flight is
// moved to the next one or answered, so that every request gets exactly one reply. Knows nothing of how a daemon is found.

import type { Readable, Writable } from 'node:stream';
import { DUPLICATE, tooLong } from '../bridge/refusals.ts';
import type { Clock } from '../platform/clock.ts';
import { BYE_WORD, DRAIN_WORD, WORD_BYTE } from '../platform/attach-protocol.ts';
import type { Rng } from '../platform/random.ts';
import { idKey, scanEnvelope, type Envelope } from '../protocol/envelope.ts';
import { ClientInput, isOneLine } from './client-input.ts';
import { ConversationMemory } from './conversation-memory.ts';
import { glanceAtReply, joined, keyOf, readClientLine } from './glance.ts';
import { keysIn, Ledger, type Asked, type Entry } from './ledger.ts';
import { LineSplitter, type LinePieces } from './line-splitter.ts';
import { hand, newLink, writeTo, type Link, type Opened, type Refused } from './link.ts';
import { Opener } from './opener.ts';
import { LINE_END, Outlet } from './outlet.ts';
import { answerAtOnce, fail, recover, refuse } from './own-answers.ts';
import { Patience } from './patience.ts';
import { retell } from './retell.ts';
import { ServiceQuestions } from './service-questions.ts';
import { WaitingLines } from './waiting.ts';

export interface RelayOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Attaches to a daemon, or to a bridge in this process. Never rejects. */
  readonly open: () => Promise<Opened | Refused>;
}

/** The longest line taken from a daemon, which has limits of its own, and from a client until a daemon has told its limit. */
const MAX_LINE_BYTES = 1024 * 1024 * 1024;
/** How long the end may wait for daemons to hang up, and for the client to read, in milliseconds. */
const HANG_UP_MS = 1600;

export class Relay {
  readonly #options: RelayOptions;
  readonly #ledger = new Ledger<Link>();
  readonly #memory = new ConversationMemory();
  readonly #questions = new ServiceQuestions<Link>();
  readonly #links = new Set<Link>();
  readonly #waiting = new WaitingLines<Link>();
  readonly #outlet: Outlet;
  readonly #fromClient: ClientInput;
  /** Who gets what is new. */
  #current: Link | undefined;
  readonly #opener: Opener;
  readonly #patience: Patience;
  #hasServed = false;
  /** Whether the client has been told things by a daemon that is gone. */
  #hasLost = false;
  #isEnding = false;
  #finish: (exitCode: number) => void = () => {};

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#opener = new Opener(options, (opened) => {
      if ('failure' in opened) this.#onRefused(opened);
      else this.#attach(opened);
    });
    this.#outlet = new Outlet(options.output, (isFull) => {
      for (const { stream } of this.#links)
        if (isFull) stream.pause();
        else stream.resume();
    });
    this.#patience = new Patience(options.clock, this.#ledger, this.#waiting, this.#memory, this.#outlet);
    this.#fromClient = new ClientInput(MAX_LINE_BYTES, {
      clock: options.clock,
      isFree: (key) => this.#ledger.find(key) === undefined,
      onLine: (line) => this.#onClientLine(line),
      onTooLong: (id, size) => this.#outlet.fail(id, tooLong(size, this.#fromClient.maxBytes)),
    });
  }

  /** Relays until the client goes or `stop` is called; resolves with the exit code. */
  run(): Promise<number> {
    const { input, output } = this.#options;
    return new Promise((resolve) => {
      this.#finish = resolve;
      input.on('data', (chunk: Buffer) => this.#onClientData(chunk));
      input.once('end', () => {
        if (!this.#isEnding) this.#fromClient.end();
        this.stop();
      });
      input.on('error', () => this.stop());
      output.on('error', () => this.stop());
      output.once('close', () => this.stop());
      this.#open();
    });
  }

  /** The client has gone, or this process shall end. */
  stop(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    for (const link of this.#links) link.stream.end();
    this.#options.clock.after(HANG_UP_MS, () => this.#finish(0));
    this.#endWhenQuiet();
  }

  #endWhenQuiet(): void {
    if (this.#isEnding && this.#links.size === 0) this.#outlet.whenFlushed(() => this.#finish(0));
  }

  // ── from the client ───────────────────────────────────────────────────────

  #onClientData(chunk: Buffer): void {
    if (this.#isEnding) return;
    this.#fromClient.feed(chunk, this.#current);
    this.#mindPace();
  }

  #onClientLine(line: LinePieces): void {
    const read = readClientLine(line);
    switch (read.kind) {
      case 'blank':
        return;
      case 'request': {
        const { message } = read;
        const isAlone = message !== undefined && this.#current === undefined;
        if (isAlone && answerAtOnce(message, this.#memory.isIntroduced, this.#outlet)) return;
        const isSent = this.#ask(line, read);
        if (isSent && message !== undefined) this.#memory.noteRequest(message);
        return;
      }
      case 'odd':
        if (read.asked === undefined) this.#send(line, undefined);
        else this.#ask(line, read.asked);
        return;
      case 'mixed':
        // The requests first: one of them may be cancelled by what is beside it.
        if (read.asked !== undefined) this.#ask(read.line, read.asked);
        for (const message of read.others) this.#onUnasked(message, [message.bytes, LINE_END]);
        return;
      default:
        this.#onUnasked(read.message, line);
    }
  }

  /** What gets no reply: the client's answer to a question of the service's, or a notification. */
  #onUnasked(message: Envelope, line: LinePieces): void {
    if (message.kind === 'response') {
      const answer = this.#questions.answer(message);
      if (answer !== undefined && this.#links.has(answer.asker))
        answer.asker.stream.write(Buffer.concat([answer.line, LINE_END]));
    } else if (message.method === 'notifications/cancelled') this.#cancel(message, line);
    else {
      this.#memory.noteNotification(message);
      this.#send(line, undefined);
    }
  }

  /** False for what comes under the id of another one that waits: two daemons, one after the other, could take both. */
  #ask(line: LinePieces, request: Asked): boolean {
    const entry = this.#ledger.open(request, line, this.#options.clock.now());
    this.#patience.begin();
    if (entry === undefined) fail(request, DUPLICATE, this.#outlet);
    else this.#send(line, entry);
    return entry !== undefined;
  }

  #cancel(message: Envelope, line: LinePieces): void {
    const span = message.spans.requestId;
    if (span === undefined) return;
    const key = idKey(message.text(span));
    const entry = this.#ledger.find(key) ?? this.#ledger.batchWith(key);
    if (entry === undefined || entry.method === 'initialize') return;
    const { holder } = entry;
    // A cancelled request gets no reply, whoever comes next.
    const isGone = this.#ledger.withdraw(entry, key);
    if (holder !== undefined && this.#links.has(holder)) writeTo(holder, line);
    else if (isGone) this.#waiting.drop(entry);
    else this.#send(line, undefined);
    this.#leaveDrained();
  }

  #send(line: LinePieces, entry: Entry<Link> | undefined): void {
    const { passedTo } = this.#fromClient;
    if (passedTo !== undefined) {
      if (entry !== undefined) entry.holder = passedTo;
    } else if (this.#current === undefined) {
      this.#waiting.add(line, entry);
      this.#open();
    } else hand(this.#current, line, entry, this.#options.clock.now());
  }

  /** Reads from the client only as fast as its lines leave again. */
  #mindPace(): void {
    const { input } = this.#options;
    const link = this.#current;
    const isFull =
      link === undefined
        ? this.#waiting.isFullWith(this.#fromClient.heldBytes)
        : link.stream.writableNeedDrain;
    if (!isFull) return;
    input.pause();
    link?.stream.once('drain', () => input.resume());
  }

  // ── from the daemon ───────────────────────────────────────────────────────

  #onDaemonLine(link: Link, line: LinePieces): void {
    const key = glanceAtReply(line);
    if (key !== undefined) {
      this.#onReply(link, key, line);
      return;
    }
    if ((line[0] as Buffer)[0] === WORD_BYTE) {
      this.#onWord(link, joined(line).toString().trim());
      return;
    }
    const scan = scanEnvelope(joined(line));
    if (scan.kind === 'message') this.#onDaemonMessage(link, scan.message, line);
    else {
      this.#outlet.write(line);
      if (scan.kind === 'batch') this.#ledger.settleBatch(keysIn(line));
      if (link.isDraining) this.#leaveDrained();
    }
  }

  #onDaemonMessage(link: Link, message: Envelope, line: LinePieces): void {
    if (message.kind === 'response') {
      this.#onReply(link, keyOf(message), line);
      return;
    }
    if (message.kind === 'request' || message.method === 'notifications/cancelled') {
      const passed = this.#questions.passOn(message, link);
      if (passed !== undefined) this.#outlet.write([passed, LINE_END]);
      return;
    }
    if (message.method === 'notifications/tools/list_changed') this.#ledger.forgetTools();
    this.#outlet.write(line);
  }

  #onReply(link: Link, key: string, line: LinePieces): void {
    // The client first.
    if (this.#ledger.find(key)?.isOwn !== true) this.#outlet.write(line);
    if (key === 'null') this.#ledger.settleRefused(link, line);
    else this.#ledger.settle(key, line);
    if (link.isDraining) this.#leaveDrained();
  }

  #onWord(link: Link, word: string): void {
    if (word === DRAIN_WORD && !link.isDraining) {
      link.isDraining = true;
      if (this.#current === link) this.#current = undefined;
      this.#open();
    }
    if (word === BYE_WORD) link.hasSaidBye = true;
  }

  // ── daemons come and go ───────────────────────────────────────────────────

  #open(): void {
    if (!this.#isEnding && this.#current === undefined) this.#opener.begin();
  }

  /**
   * Whoever has never been served is told by the exit code as well, as of any program that is called wrongly. A client that has
   * been cannot start this one again: it is answered, and its next request finds what is wrong put right, or not.
   */
  #onRefused({ failure, exitCode }: Refused): void {
    this.#fromClient.readFirstLine();
    refuse(this.#waiting.takeAll(), failure, this.#ledger, this.#outlet);
    if (!this.#hasServed) this.#outlet.whenFlushed(() => this.#finish(exitCode));
    else this.#options.input.resume();
  }

  #attach(opened: Opened): void {
    const { stream, maxLineBytes, timeLimits } = opened;
    const { clock, input } = this.#options;
    const link = newLink(opened, clock.now());
    this.#links.add(link);
    this.#hasServed = true;
    this.#current = link;
    this.#fromClient.maxBytes = maxLineBytes;
    this.#patience.timeLimits = timeLimits;
    const lines = new LineSplitter(MAX_LINE_BYTES, {
      onLine: (line) => this.#onDaemonLine(link, line),
      onTooLong: () => stream.destroy(),
    });
    stream.on('data', (chunk: Buffer) => {
      link.quietLooks = 0;
      const answered = this.#fromClient.firstAnsweredBy(link, chunk);
      if (answered !== undefined) this.#outlet.write([chunk]);
      this.#fromClient.readFirstLine();
      if (answered !== undefined) this.#ledger.settle(answered, [chunk]);
      else if (!lines.isInLine && isOneLine(chunk)) this.#onDaemonLine(link, [chunk]);
      else this.#outlet.together(() => lines.feed(chunk));
    });
    stream.once('close', () => this.#onLost(link));
    if (this.#outlet.isFull) stream.pause();
    else stream.resume();
    if (this.#isEnding) {
      stream.end();
      return;
    }
    stream.cork();
    this.#retell(link);
    this.#fromClient.sendFirstLine(link);
    for (const { line, entry } of this.#waiting.takeAll()) hand(link, line, entry, clock.now());
    stream.uncork();
    input.resume();
    this.#leaveDrained();
  }

  /** Makes a new daemon know the client. Where `initialize` itself still waits for its answer, it is sent as what it is. */
  #retell(link: Link): void {
    if (this.#waiting.has('initialize')) return;
    retell(this.#memory, this.#ledger, link);
    if (!this.#hasLost || !this.#memory.isIntroduced) return;
    // Nobody listened for a while.
    this.#hasLost = false;
    this.#outlet.sayListsChanged();
  }

  #onLost(link: Link): void {
    this.#fromClient.readFirstLine();
    this.#links.delete(link);
    const wasCurrent = this.#current === link;
    if (wasCurrent) this.#current = undefined;
    if (this.#isEnding) {
      this.#endWhenQuiet();
      return;
    }
    if (wasCurrent) {
      this.#hasLost = true;
      this.#opener.noteLoss(link.openedAt, link.hasSaidBye);
    }
    for (const key of this.#questions.forget(link))
      this.#outlet.say('notifications/cancelled', `{"requestId":${key}}`);
    const moved = recover(this.#ledger.heldBy(link), this.#ledger, this.#outlet);
    if (moved.length > 0 && this.#current !== undefined) {
      for (const { line, entry } of moved) this.#send(line, entry);
    } else this.#waiting.putBack(moved);
    this.#options.input.resume();
    if (!this.#waiting.isEmpty || !link.hasSaidBye) this.#open();
  }

  #leaveDrained(): void {
    for (const link of this.#links)
      if (link.isDraining && link !== this.#current && !this.#ledger.isHolding(link)) link.stream.end();
  }
}
