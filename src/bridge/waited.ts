// A front that had to find a daemon, or another one, tells how long its client has waited by then: the client's patience began when
// it asked, and so must the time limit.

import { WAITED_WORD, WORD_BYTE } from '../platform/attach-protocol.ts';
import { textOf, type Content } from '../protocol/envelope.ts';

const WORD = new RegExp(`^${WAITED_WORD} (\\d{1,12})$`);
const MAX_BYTES = WAITED_WORD.length + 14;

export class Waited {
  /** How long the client had waited for the reply to the present line before it came here, in milliseconds. */
  ms = 0;
  readonly #isBehindFront: boolean;
  #nextMs = 0;

  constructor(isBehindFront: boolean) {
    this.#isBehindFront = isBehindFront;
  }

  /** True for a line that is the front's word on the next one. */
  take(line: Content): boolean {
    const ms = this.#isBehindFront ? readWord(line) : undefined;
    this.ms = this.#nextMs;
    this.#nextMs = ms ?? 0;
    return ms !== undefined;
  }
}

function readWord(line: Content): number | undefined {
  if (!Buffer.isBuffer(line) || line[0] !== WORD_BYTE || line.length > MAX_BYTES) return undefined;
  const ms = WORD.exec(textOf(line))?.[1];
  return ms === undefined ? undefined : Number(ms);
}
