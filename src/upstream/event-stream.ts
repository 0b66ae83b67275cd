// Server-sent events (HTML standard, section 9.2) over bytes. Nothing is decoded on the way, so UTF-8 may be cut anywhere
// between chunks and comes out as the same bytes, and an answer of any size is copied once at most.

export interface ServerSentEvent {
  /** Empty for the default type. */
  readonly type: string;
  readonly data: Content;
}

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

import { standsAt } from '../protocol/bytes.ts';
import { gather, sizeOf, type Content } from '../protocol/envelope.ts';
import { Pieces } from '../protocol/pieces.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const BOM = Buffer.from('\uFEFF');
const LINE_END = Buffer.from('\n');
const [DATA, EVENT, ID, RETRY] = [
  Buffer.from('data'),
  Buffer.from('event'),
  Buffer.from('id'),
  Buffer.from('retry'),
];
const MESSAGE = Buffer.from('message');

export class EventStream {
  /** The id of the last event that had one, as the service wrote it; for Last-Event-ID. */
  lastEventId: string | undefined;
  /** The wait before a reconnect that the service asked for, in milliseconds. */
  retryMs: number | undefined;
  readonly #maxEventBytes: number;
  readonly #onEvent: (event: ServerSentEvent) => void | Promise<void>;
  #isAtStart = true;
  /** The last line ended with CR; an LF behind it belongs to that. */
  #isBehindCr = false;
  /** A line that has not ended; a comment's pieces are not kept. */
  readonly #line = new Pieces();
  #isInComment = false;
  /** Of the event that is being read: */
  #data: Content[] = [];
  #dataSize = 0;
  #type = '';
  #id: string | undefined;
  #held: Promise<void> | undefined;

  /**
   * @param maxEventBytes what an event, or a line that has not ended, may hold
   * @param onEvent a returned promise means that the taker is behind
   */
  constructor(maxEventBytes: number, onEvent: (event: ServerSentEvent) => void | Promise<void>) {
    this.#maxEventBytes = maxEventBytes;
    this.#onEvent = onEvent;
  }

  /**
   * Takes the next bytes. A returned promise resolves when the taker of events has caught up.
   * @throws EventTooLargeError
   */
  feed(chunk: Buffer): void | Promise<void> {
    if (chunk.length === 0) return undefined;
    let from = this.#isBehindCr && chunk[0] === LF ? 1 : 0;
    this.#isBehindCr = false;
    let lf = chunk.indexOf(LF, from);
    // Hardly anybody ends lines with CR, so one look at the chunk spares one at each line.
    let cr = chunk.indexOf(CR, from);
    while (lf >= 0 || cr >= 0) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.#endLine(chunk, from, end);
      from = end + 1;
      if (end === cr) {
        if (chunk[from] === LF) from += 1;
        else this.#isBehindCr = from === chunk.length;
        cr = chunk.indexOf(CR, from);
      }
      if (lf >= 0 && lf < from) lf = chunk.indexOf(LF, from);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #keep(piece: Buffer): void {
    if (this.#line.size === 0 && piece[0] === COLON) this.#isInComment = true;
    if (this.#isInComment) return;
    this.#limit(this.#line.size + piece.length);
    this.#line.add(piece);
  }

  /** The line ends at `end`; it begins at `from`, or with the pieces that were kept. */
  #endLine(chunk: Buffer, from: number, end: number): void {
    if (this.#isInComment) this.#isInComment = false;
    else if (this.#line.size === 0) this.#readLine(chunk, from, end);
    else {
      if (end > from) this.#keep(chunk.subarray(from, end));
      const line = this.#line.take();
      if (Buffer.isBuffer(line)) this.#readLine(line, 0, line.length);
      else this.#readPieces(line);
    }
  }

  /** A long line, which is data as a rule: that is passed on in the pieces in which it came. */
  #readPieces(line: readonly Buffer[]): void {
    const [first, ...rest] = line;
    const value = first === undefined || this.#isAtStart ? -1 : startOfData(first);
    if (first === undefined || value < 0) {
      const whole = Buffer.concat(line);
      this.#readLine(whole, 0, whole.length);
      return;
    }
    const data = [first.subarray(value), ...rest];
    const size = sizeOf(data);
    this.#limit(size);
    this.#data.push(data);
    this.#dataSize += size + LINE_END.length;
  }

  #readLine(bytes: Buffer, lineStart: number, end: number): void {
    let start = lineStart;
    if (this.#isAtStart) {
      this.#isAtStart = false;
      if (bytes.subarray(start, end).indexOf(BOM) === 0) start += BOM.length;
    }
    if (bytes[start] === COLON && start < end) return;
    this.#limit(end - start);
    if (start === end) {
      this.#dispatch();
      return;
    }
    let colon = start;
    while (colon < end && bytes[colon] !== COLON) colon += 1;
    let value = Math.min(colon + 1, end);
    if (value < end && bytes[value] === SPACE) value += 1;
    if (stands(DATA, bytes, start, colon)) {
      this.#data.push(bytes.subarray(value, end));
      this.#dataSize += end - value + LINE_END.length;
    } else if (stands(EVENT, bytes, start, colon)) {
      this.#type = stands(MESSAGE, bytes, value, end) ? 'message' : bytes.toString('utf8', value, end);
    } else if (stands(ID, bytes, start, colon)) {
      if (!bytes.subarray(value, end).includes(0)) this.#id = bytes.toString('utf8', value, end);
    } else if (stands(RETRY, bytes, start, colon)) {
      const text = bytes.toString('latin1', value, end);
      if (/^\d+$/.test(text)) this.retryMs = Number(text);
    }
  }

  #dispatch(): void {
    const type = this.#type;
    const data = this.#data;
    if (this.#id !== undefined) this.lastEventId = this.#id === '' ? undefined : this.#id;
    this.#id = undefined;
    this.#type = '';
    if (data.length === 0) return;
    this.#data = [];
    this.#dataSize = 0;
    const held = this.#onEvent({ type, data: joinLines(data) });
    if (held !== undefined)
      this.#held = this.#held === undefined ? held : Promise.all([this.#held, held]).then(() => {});
  }

  /** @param lineSize of the line that is being read */
  #limit(lineSize: number): void {
    if (this.#dataSize + lineSize <= this.#maxEventBytes) return;
    // What comes behind it is not read either.
    this.#dataSize = Number.POSITIVE_INFINITY;
    throw new EventTooLargeError(`an event is larger than ${this.#maxEventBytes} bytes`);
  }
}

/** Whether just this word stands there. */
function stands(word: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return end - start === word.length && standsAt(word, bytes, start);
}

/** Where the value begins in the first bytes of a line `data: …`; -1 where that is not surely one. */
function startOfData(bytes: Buffer): number {
  const value = DATA.length + 1;
  if (bytes.length <= value || !stands(DATA, bytes, 0, DATA.length) || bytes[DATA.length] !== COLON)
    return -1;
  if (bytes[value] !== SPACE) return value;
  return bytes.length > value + 1 ? value + 1 : -1;
}

function joinLines(lines: readonly Content[]): Content {
  const [first] = lines;
  if (lines.length === 1 && first !== undefined) return first;
  const pieces = lines.flatMap((line, i) =>
    i === 0 ? line : [LINE_END, ...(Buffer.isBuffer(line) ? [line] : line)],
  );
  return gather(pieces, sizeOf(pieces));
}
