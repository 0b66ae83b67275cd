// How long a service usually takes, by what it is asked, so that silence can be told from slowness.

import type { Envelope } from '../protocol/envelope.ts';

/** Each new figure lets the longest one so far count this much less. */
const FADING = 0.9;
const MAX_KINDS = 1000;
/** Of what is remembered, in characters. */
const MAX_LENGTH = 500;

/** What one kind of request usually takes, in milliseconds; 0 for what was never answered. */
export class UsualPace {
  firstByteMs = 0;
  answerMs = 0;

  noteFirstByte(ms: number): void {
    this.firstByteMs = Math.max(ms, this.firstByteMs * FADING);
  }

  noteAnswer(ms: number): void {
    this.answerMs = Math.max(ms, this.answerMs * FADING);
  }
}

export class Pace {
  /** By method, and then by what it names. */
  readonly #kinds = new Map<string, Map<string, UsualPace>>();
  #size = 0;

  /** The one record for requests like this: of its method and the tool or prompt that it names. */
  of({ method, name = '' }: Envelope): UsualPace {
    const known = this.#kinds.get(method)?.get(name);
    if (known !== undefined) return known;
    const usual = new UsualPace();
    if (this.#size >= MAX_KINDS || method.length + name.length > MAX_LENGTH) return usual;
    this.#size += 1;
    const named = this.#kinds.get(method) ?? new Map<string, UsualPace>();
    this.#kinds.set(method, named.set(name, usual));
    return usual;
  }
}
