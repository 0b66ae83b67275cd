// Replaces parts of a message in place and leaves every other byte as it is.

import type { Envelope, Span } from './envelope.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** From this size on, a message is cheaper to write in pieces than to copy. */
const LONG_BYTES = 16 * 1024;

/** The message with another text at one place: one buffer, or the pieces of a long one, which are not copied. */
export function spliceToWrite(
  message: Envelope,
  span: Span | null,
  text: string,
): Buffer | readonly Buffer[] {
  const { bytes } = message;
  if (span === null) return bytes;
  if (bytes.length < LONG_BYTES) return splice(message, [{ span, text }]);
  return [bytes.subarray(0, span.start), Buffer.from(text), bytes.subarray(span.end)];
}

/** The message's bytes with each edit's text in place of its span. Spans must not overlap. */
export function splice(message: Envelope, edits: readonly Edit[]): Buffer {
  const sorted = edits.length > 1 ? edits.toSorted((a, b) => a.span.start - b.span.start) : edits;
  let size = message.bytes.length;
  for (const { span, text } of sorted) size += Buffer.byteLength(text) - (span.end - span.start);
  const out = Buffer.allocUnsafe(size);
  let read = 0;
  let written = 0;
  for (const { span, text } of sorted) {
    written += message.bytes.copy(out, written, read, span.start);
    written += out.write(text, written);
    read = span.end;
  }
  message.bytes.copy(out, written, read);
  return out;
}
