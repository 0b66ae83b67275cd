// Replaces parts of a message in place and leaves every other byte as it is.

import type { Envelope, Span } from './envelope.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
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
