// One attached daemon, or the bridge in this process, as the relay sees it.

import type { Duplex } from 'node:stream';

export interface Opened {
  readonly stream: Duplex;
  /** The longest line that it takes. */
  readonly maxLineBytes: number;
}

export interface Link {
  readonly stream: Duplex;
  readonly openedAt: number;
  /** Gets nothing new any more, and is left when it has answered all that it has. */
  isDraining: boolean;
  /** The daemon has said that it ends because somebody wants it to. */
  hasSaidBye: boolean;
}
