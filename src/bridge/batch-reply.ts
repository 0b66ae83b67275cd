// Gathers the replies to the requests of one batch into one array (JSON-RPC 2.0, section 6).

import type { ScanResult } from '../protocol/envelope.ts';
import type { ReplyTo } from './pending.ts';

/** The one revision with batches (MCP 2025-03-26, basic). */
export const BATCH_REVISION = '2025-03-26';

const COMMA = Buffer.from(',');

export class BatchReply {
  readonly #write: (line: Buffer) => void;
  readonly #replies: Buffer[] = [];
  #awaited = 0;
  #isClosed = false;

  constructor(write: (line: Buffer) => void) {
    this.#write = write;
  }

  /** Where the reply to this element goes. Elements that get none must not be asked for one. */
  part(element: ScanResult): ReplyTo {
    const isAwaited = element.kind !== 'message' || element.message.kind === 'request';
    if (isAwaited) this.#awaited += 1;
    return (line) => {
      if (line !== undefined) this.#replies.push(Buffer.isBuffer(line) ? line : Buffer.concat(line));
      this.#awaited -= 1;
      this.#flush();
    };
  }

  /** No more elements come. */
  close(): void {
    this.#isClosed = true;
    this.#flush();
  }

  #flush(): void {
    if (!this.#isClosed || this.#awaited > 0 || this.#replies.length === 0) return;
    const parts = this.#replies.flatMap((reply, i) => (i === 0 ? [reply] : [COMMA, reply]));
    this.#write(Buffer.concat([Buffer.from('['), ...parts, Buffer.from(']')]));
    this.#replies.length = 0;
  }
}
