// Sees to it that nobody waits for ever on a daemon: a request that none has is answered at its time limit, as the bridge would; and
// one that has some and says nothing for long is asked whether it is there, then left, as if it had ended.

import type { Clock } from '../platform/clock.ts';
import { deadline, type TimeLimits } from '../policy/deadline.ts';
import type { ConversationMemory } from './conversation-memory.ts';
import type { Entry, Ledger } from './ledger.ts';
import type { Link } from './link.ts';
import type { Outlet } from './outlet.ts';
import { fail, notTaken } from './own-answers.ts';
import type { WaitingLines } from './waiting.ts';

const LOOK_EVERY_MS = 500;
/** Counted in looks, so that time in which this process does not run, as while the machine sleeps, is nobody's silence. */
const ASK_AFTER_LOOKS = 20;
const LEAVE_AFTER_LOOKS = 80;

export class Patience {
  readonly #clock: Clock;
  readonly #ledger: Ledger<Link>;
  readonly #waiting: WaitingLines<Link>;
  readonly #memory: ConversationMemory;
  readonly #outlet: Outlet;
  /** As the last daemon told them; undefined while none has. */
  timeLimits: TimeLimits | undefined;
  #isLooking = false;
  #nextPing = 1;

  constructor(
    clock: Clock,
    ledger: Ledger<Link>,
    waiting: WaitingLines<Link>,
    memory: ConversationMemory,
    outlet: Outlet,
  ) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#waiting = waiting;
    this.#memory = memory;
    this.#outlet = outlet;
  }

  /** To be called for each request; looks until none is left. */
  begin(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.#isLooking = false;
      if (this.#ledger.size > 0) this.begin();
    });
  }

  #look(): void {
    const awaited = new Set<Link>();
    const asked = new Set<Link>();
    for (const entry of this.#ledger.all()) {
      if (entry.holder === undefined) this.#answerIfLate(entry);
      else {
        awaited.add(entry.holder);
        if (isPing(entry)) asked.add(entry.holder);
      }
    }
    for (const link of awaited) {
      // One whose words nobody takes cannot be heard.
      link.quietLooks = link.stream.isPaused() ? 0 : link.quietLooks + 1;
      if (link.quietLooks >= ASK_AFTER_LOOKS && !asked.has(link)) this.#ask(link);
      if (link.quietLooks >= LEAVE_AFTER_LOOKS) link.stream.destroy();
    }
  }

  #answerIfLate(entry: Entry<Link>): void {
    if (this.timeLimits === undefined || entry.askedAt === undefined) return;
    const { limitMs } = deadline(entry.method, this.#memory.clientName, this.timeLimits);
    if (this.#clock.now() - entry.askedAt < limitMs) return;
    this.#waiting.drop(entry);
    this.#ledger.remove(entry);
    fail(entry, notTaken(limitMs), this.#outlet);
  }

  #ask(link: Link): void {
    const key = `"mcp-bridge-there-${this.#nextPing}"`;
    this.#nextPing += 1;
    const line = Buffer.from(`{"jsonrpc":"2.0","id":${key},"method":"ping"}\n`);
    const entry = this.#ledger.open({ key, method: 'ping', isOwn: true }, [line]);
    if (entry === undefined) return;
    entry.holder = link;
    link.stream.write(line);
  }
}

function isPing({ isOwn, method }: Entry<Link>): boolean {
  return isOwn && method === 'ping';
}
