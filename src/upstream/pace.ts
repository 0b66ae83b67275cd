// How long a service usually takes, by what it is asked, so that silence can be told from slowness.

import { stringAt, type Envelope } from '../protocol/envelope.ts';

/** Each new figure lets the longest one so far count this much less. */
const FADING = 0.9;
const MAX_KINDS = 1000;

export class Pace {
  readonly #firstByteMs = new Map<string, number>();
  readonly #answerMs = new Map<string, number>();

  noteFirstByte(request: Envelope, ms: number): void {
    note(this.#firstByteMs, kindOf(request), ms);
  }

  noteAnswer(request: Envelope, ms: number): void {
    note(this.#answerMs, kindOf(request), ms);
  }

  /** Until the first byte of a response, and until the answer, in milliseconds; 0 for what was never asked. */
  usual(request: Envelope): { readonly firstByteMs: number; readonly answerMs: number } {
    const kind = kindOf(request);
    return { firstByteMs: this.#firstByteMs.get(kind) ?? 0, answerMs: this.#answerMs.get(kind) ?? 0 };
  }
}

function kindOf(request: Envelope): string {
  return `${request.method} ${stringAt(request, request.spans.name) ?? ''}`;
}

function note(usual: Map<string, number>, kind: string, ms: number): void {
  const before = usual.get(kind);
  if (before === undefined && usual.size >= MAX_KINDS) return;
  usual.set(kind, Math.max(ms, (before ?? 0) * FADING));
}
