// Makes a new daemon know the client that the last one knew.

import type { ConversationMemory } from './conversation-memory.ts';
import type { Ledger } from './ledger.ts';
import type { Link } from './link.ts';

/** The daemon's answers to it are the front's own. */
export function retell(memory: ConversationMemory, ledger: Ledger<Link>, link: Link): void {
  for (const { id, method, line } of memory.retell()) {
    if (id !== undefined) {
      const entry = ledger.open({ key: id, method, isOwn: true }, [line]);
      if (entry !== undefined) entry.holder = link;
    }
    link.stream.write(line);
  }
}
