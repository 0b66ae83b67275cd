// What the client says, on its way to the daemon. A request goes on before it is read here, so that the daemon deals with it meanwhile; and
// the first line of all, which is `initialize`, is not read before its answer has gone back, because reading a line for the first
// time takes this process longer than the daemon takes to answer it (ADR 14).

import type { Clock } from '../platform/clock.ts';
import { glanceAtReply, keyShown } from './glance.ts';
import { LineSplitter, type LineTaker } from './line-splitter.ts';
import type { Link } from './link.ts';

export interface ClientInputOptions extends LineTaker {
  readonly clock: Clock;
  /** Whether no request waits under this key. */
  readonly isFree: (key: string) => boolean;
}

/** Longer lines are read first, in bytes. */
const MAX_BYTES = 16 * 1024;
/** So long the first line may stay unread, in milliseconds: time for a daemon that is there. */
const HOLD_MS = 15;
const LF = 0x0a;

export class ClientInput {
  readonly #options: ClientInputOptions;
  readonly #lines: LineSplitter;
  /** Who has the line that is read at the moment, where it has been passed on already. */
  passedTo: Link | undefined;
  #isBegun = false;
  #firstLine: Buffer | undefined;
  #firstHolder: Link | undefined;

  constructor(maxLineBytes: number, options: ClientInputOptions) {
    this.#options = options;
    this.#lines = new LineSplitter(maxLineBytes, options);
  }

  get heldBytes(): number {
    return this.#lines.heldBytes;
  }

  get maxBytes(): number {
    return this.#lines.maxBytes;
  }

  set maxBytes(bytes: number) {
    this.#lines.maxBytes = bytes;
  }

  /** @param link the daemon that gets what is new */
  feed(chunk: Buffer, link: Link | undefined): void {
    const isFirst = !this.#isBegun;
    this.#isBegun = true;
    if (isFirst && isOneLine(chunk)) {
      this.#firstLine = chunk;
      this.sendFirstLine(link);
      this.#options.clock.after(HOLD_MS, () => this.readFirstLine());
      return;
    }
    this.readFirstLine();
    if (link !== undefined && !link.isInProcess && this.#mayPass(chunk)) {
      link.stream.write(chunk);
      this.#read(chunk, link);
      return;
    }
    link?.stream.cork();
    this.#lines.feed(chunk);
    link?.stream.uncork();
  }

  /** To the daemon that has come, where it waits for one. */
  sendFirstLine(link: Link | undefined): void {
    if (this.#firstLine === undefined || link === undefined || !this.#fits(this.#firstLine)) return;
    this.#firstHolder = link;
    link.stream.write(this.#firstLine);
  }

  /** The id, as a key, where this is what the daemon says to the first line, and that has not been read. */
  firstAnsweredBy(link: Link, chunk: Buffer): string | undefined {
    if (this.#firstHolder !== link || !isOneLine(chunk)) return undefined;
    const key = glanceAtReply([chunk]);
    return key === 'null' ? undefined : key;
  }

  /** What it says of the conversation, if that has not been done; from then on it is a line like any other. */
  readFirstLine(): void {
    const line = this.#firstLine;
    if (line === undefined) return;
    const holder = this.#firstHolder;
    this.#firstLine = undefined;
    this.#firstHolder = undefined;
    this.#read(line, holder);
  }

  /** The client says no more: what it has begun is a line too. */
  end(): void {
    this.readFirstLine();
    this.#lines.feed(Buffer.of(LF));
  }

  #read(line: Buffer, passedTo: Link | undefined): void {
    this.passedTo = passedTo;
    this.#lines.feed(line);
    this.passedTo = undefined;
  }

  /** One whole request under an id that is free. */
  #mayPass(chunk: Buffer): boolean {
    if (this.#lines.isInLine || !isOneLine(chunk) || !this.#fits(chunk)) return false;
    const key = keyShown(chunk);
    return key !== undefined && this.#options.isFree(key);
  }

  /** One that is too long is refused here, not by the daemon as well. */
  #fits(line: Buffer): boolean {
    return line.length <= this.maxBytes + 1;
  }
}

export function isOneLine(chunk: Buffer): boolean {
  return chunk.length <= MAX_BYTES && chunk.indexOf(LF) === chunk.length - 1;
}
