// Replaces parts of a message in place and leaves every other byte as it is.

import { byteLength, copyBytes, copyText } from './bytes.ts';
import { Envelope, sizeOf, type Content, type Span } from './envelope.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string | number;
}

/** A shorter piece is put together with its neighbour, where they are not longer than that. */
const SHORT_BYTES = 4096;
const TOGETHER_BYTES = 72 * 1024;

/** From this size on, a line is cheaper to write in pieces than to copy. */
const LONG_LINE_BYTES = 16 * 1024;

/** The message under another id, as a line to write. */
export function withId(message: Envelope, id: string | number): Content {
  const edits = message.id === null ? [] : [{ span: message.id, text: id }];
  return spliceToWrite(message, edits, LONG_LINE_BYTES);
}

/**
 * The message with each edit's text in place of its span, as `splice` gives it; but one of `longBytes` and more in pieces, which are not
 * copied.
 */
export function spliceToWrite(message: Envelope, edits: readonly Edit[], longBytes: number): Content {
  if (edits.length === 0) return message.content;
  return message.byteLength < longBytes ? splice(message, edits) : joined(editPieces(message.content, edits));
}

/** The message's bytes with each edit's text in place of its span. Spans must not overlap. */
export function splice(message: Envelope, edits: readonly Edit[]): Buffer {
  if (!Buffer.isBuffer(message.content)) {
    const pieces = editPieces(message.content, edits);
    return Buffer.concat(pieces, sizeOf(pieces));
  }
  const sorted = inOrder(edits);
  const bytes = message.content;
  let size = bytes.length;
  for (const { span, text } of sorted) size += byteLength(text) - (span.end - span.start);
  const out = Buffer.allocUnsafe(size);
  let read = 0;
  let written = 0;
  for (const { span, text } of sorted) {
    written = copyBytes(bytes, read, span.start, out, written);
    written = copyText(text, out, written);
    read = span.end;
  }
  copyBytes(bytes, read, bytes.length, out, written);
  return out;
}

/** The message with one part replaced; only what a reader of notifications looks at stays valid in it. */
export function respan(message: Envelope, span: Span, text: string): Envelope {
  const { kind, id, method, isError } = message;
  return new Envelope({ kind, id, method, isError, spans: {} }, splice(message, [{ span, text }]));
}

function inOrder(edits: readonly Edit[]): readonly Edit[] {
  return edits.length > 1 ? edits.toSorted((a, b) => a.span.start - b.span.start) : edits;
}

function editPieces(content: Content, edits: readonly Edit[]): Buffer[] {
  const out: Buffer[] = [];
  let read = 0;
  for (const { span, text } of inOrder(edits)) {
    take(content, read, span.start, out);
    out.push(Buffer.from(String(text)));
    read = span.end;
  }
  take(content, read, Number.POSITIVE_INFINITY, out);
  return out;
}

/** Adds what lies from `start` up to `end`, uncopied. */
function take(content: Content, start: number, end: number, out: Buffer[]): void {
  let at = 0;
  for (const piece of Buffer.isBuffer(content) ? [content] : content) {
    const from = Math.max(0, start - at);
    const to = Math.min(piece.length, end - at);
    if (from < to) out.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
    at += piece.length;
  }
}

/** As few pieces as there can be without much copying: neighbours in one buffer are one, and short ones join the next. */
function joined(pieces: readonly Buffer[]): Buffer[] {
  const out: Buffer[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (
      last !== undefined &&
      last.buffer === piece.buffer &&
      last.byteOffset + last.length === piece.byteOffset
    )
      out[out.length - 1] = Buffer.from(
        last.buffer as ArrayBuffer,
        last.byteOffset,
        last.length + piece.length,
      );
    else if (
      last !== undefined &&
      Math.min(last.length, piece.length) < SHORT_BYTES &&
      last.length + piece.length <= TOGETHER_BYTES
    )
      out[out.length - 1] = Buffer.concat([last, piece]);
    else out.push(piece);
  }
  return out;
}
