// Lines of the client's that wait for a daemon, in order.

import type { Entry } from './ledger.ts';
import { sizeOf } from './glance.ts';
import type { LinePieces } from './line-splitter.ts';

/** What may wait before the client is no longer read, in bytes. */
const MAX_BYTES = 1024 * 1024;

export interface WaitingLine<L> {
  readonly line: LinePieces;
  readonly entry: Entry<L> | undefined;
}

export class WaitingLines<L> {
  #lines: WaitingLine<L>[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** @param heldBytes what else is held for the same reason */
  isFullWith(heldBytes: number): boolean {
    return this.#bytes + heldBytes > MAX_BYTES;
  }

  has(method: string): boolean {
    return this.#lines.some(({ entry }) => entry?.method === method);
  }

  add(line: LinePieces, entry: Entry<L> | undefined): void {
    this.#lines.push({ line, entry });
    this.#bytes += sizeOf(line);
  }

  /** In front of all others: these were sent before. */
  putBack(lines: readonly WaitingLine<L>[]): void {
    this.#lines = [...lines, ...this.#lines];
    for (const { line } of lines) this.#bytes += sizeOf(line);
  }

  drop(entry: Entry<L>): void {
    const at = this.#lines.findIndex((item) => item.entry === entry);
    const [dropped] = at < 0 ? [] : this.#lines.splice(at, 1);
    if (dropped !== undefined) this.#bytes -= sizeOf(dropped.line);
  }

  takeAll(): readonly WaitingLine<L>[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    return lines;
  }
}
