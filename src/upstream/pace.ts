// How long a service usually takes, by what it is asked, so that silence can be told from slowness.

import { stringAt, type Envelope } from '../protocol/envelope.ts';

/** Each new figure lets the longest one so far count this much less. */
const FADING = 0.9;
const MAX_KINDS = 1000;
const MAX_KIND_LENGTH = 200;

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
  readonly #kinds = new Map<string, UsualPace>();

  /** The one record for requests like this: of its method and the tool or prompt that it names. */
  of(request: Envelope): UsualPace {
    const kind = `${request.method} ${stringAt(request, request.spans.name) ?? ''}`.slice(0, MAX_KIND_LENGTH);
    let usual = this.#kinds.get(kind);
    if (usual === undefined) {
      usual = new UsualPace();
      if (this.#kinds.size < MAX_KINDS) this.#kinds.set(kind, usual);
    }
    return usual;
  }
}
