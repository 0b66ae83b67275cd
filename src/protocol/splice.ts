// Replaces parts of a message in place and leaves every other byte as it is.

import { Envelope, sizeOf, type Content, type Span } from './envelope.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** From this size on, a message is cheaper to write in pieces than to copy. */
const LONG_BYTES = 16 * 1024;

/** The message with another text at one place: one buffer, or the pieces of a long one, which are not copied. */
export function spliceToWrite(message: Envelope, span: Span | null, text: string): Content {
  if (span === null) return message.content;
  const edits = [{ span, text }];
  return message.byteLength < LONG_BYTES ? splice(message, edits) : editPieces(message.content, edits);
}

/** The message's bytes with each edit's text in place of its span. Spans must not overlap. */
export function splice(message: Envelope, edits: readonly Edit[]): Buffer {
  const sorted = edits.length > 1 ? edits.toSorted((a, b) => a.span.start - b.span.start) : edits;
  if (!Buffer.isBuffer(message.content)) {
    const pieces = editPieces(message.content, sorted);
    return Buffer.concat(pieces, sizeOf(pieces));
  }
  const bytes = message.content;
  let size = bytes.length;
  for (const { span, text } of sorted) size += Buffer.byteLength(text) - (span.end - span.start);
  const out = Buffer.allocUnsafe(size);
  let read = 0;
  let written = 0;
  for (const { span, text } of sorted) {
    written += bytes.copy(out, written, read, span.start);
    written += out.write(text, written);
    read = span.end;
  }
  bytes.copy(out, written, read);
  return out;
}

/** The message with one part replaced; only what a reader of notifications looks at stays valid in it. */
export function respan(message: Envelope, span: Span, text: string): Envelope {
  const { kind, id, method, isError } = message;
  return new Envelope({ kind, id, method, isError, spans: {} }, splice(message, [{ span, text }]));
}

/** @param edits in the order of their spans */
function editPieces(content: Content, edits: readonly Edit[]): Buffer[] {
  const out: Buffer[] = [];
  let read = 0;
  for (const { span, text } of edits) {
    take(content, read, span.start, out);
    out.push(Buffer.from(text));
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
