// Finds the id of a request in a message that is too long to keep, reading it once in pieces of any size.

import { sweepBehindBuffers } from '../platform/memory.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_ID_BYTES = 256;
/** Longer than any member name that matters, were all its letters written as escapes. */
const MAX_KEY_BYTES = 40;

type Part = 'before-key' | 'key' | 'before-value' | 'value';

/** Of all that this process does not keep. */
const noteDropped = sweepBehindBuffers();

export class IdFinder {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #part: Part = 'before-key';
  #key = '';
  #value = '';
  #id: string | null = null;
  #hasMethod = false;

  /** The id as it is written, when what was read so far has a method and an id at its outer level. */
  get requestId(): string | null {
    return this.#hasMethod && this.#id !== null && isId(this.#id) ? this.#id : null;
  }

  /** Nobody needs the bytes behind it. */
  feed(bytes: Buffer): void {
    noteDropped(bytes.length);
    for (let i = 0; i < bytes.length; i += 1) {
      const c = bytes[i] as number;
      if (this.#inString) {
        // Deep inside, nothing matters before the string's next quote or escape.
        if (this.#depth > 1 && !this.#escaped && c !== QUOTE && c !== BACKSLASH) continue;
        this.#readString(c);
      } else this.#readOutside(c);
    }
  }

  #readString(c: number): void {
    if (this.#depth === 1) this.#collect(c);
    if (this.#escaped) this.#escaped = false;
    else if (c === BACKSLASH) this.#escaped = true;
    else if (c === QUOTE) {
      this.#inString = false;
      if (this.#depth === 1 && this.#part === 'key') {
        this.#part = 'before-value';
        if (this.#key.includes('\\')) this.#key = decode(this.#key);
      }
    }
  }

  #readOutside(c: number): void {
    switch (c) {
      case QUOTE:
        this.#inString = true;
        if (this.#depth !== 1) return;
        if (this.#part === 'before-key') {
          this.#part = 'key';
          this.#key = '';
        } else this.#collect(c);
        return;
      case 0x7b: // {
      case 0x5b: // [
        this.#depth += 1;
        return;
      case 0x7d: // }
      case 0x5d: // ]
        if (this.#depth === 1) this.#endMember();
        this.#depth -= 1;
        return;
      case 0x2c: // ,
        if (this.#depth === 1) this.#endMember();
        return;
      case 0x3a: // :
        if (this.#depth === 1 && this.#part === 'before-value') {
          this.#part = 'value';
          this.#value = '';
        }
        return;
      default:
        if (this.#depth === 1 && c > 0x20) this.#collect(c);
    }
  }

  #collect(c: number): void {
    if (this.#part === 'key' && c !== QUOTE && this.#key.length < MAX_KEY_BYTES)
      this.#key += String.fromCharCode(c);
    else if (this.#part === 'value' && this.#key === 'id' && this.#value.length <= MAX_ID_BYTES)
      this.#value += String.fromCharCode(c);
  }

  #endMember(): void {
    if (this.#key === 'method') this.#hasMethod = true;
    if (this.#key === 'id' && this.#value.length <= MAX_ID_BYTES)
      this.#id = Buffer.from(this.#value, 'latin1').toString('utf8');
    this.#part = 'before-key';
    this.#key = '';
  }
}

/** A member name without its escapes; one that is cut short or wrong is none that matters. */
function decode(name: string): string {
  try {
    return JSON.parse(`"${name}"`) as string;
  } catch {
    return '';
  }
}

function isId(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' || typeof value === 'number';
  } catch {
    return false;
  }
}
