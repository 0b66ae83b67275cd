// What must never happen, written down as it is seen, and the accounts that are settled at the end.
import { fairMs } from '../support/fair-time.ts';
import type { Operation } from './traffic.ts';

/** How a request ended, as its client saw it. */
export type Ending =
  | { readonly kind: 'open' }
  | { readonly kind: 'result' }
  /** `code` is the bridge's own, or `rpc <number>` for an error of the service's. */
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'cancelled' }
  /** Its bridge was ended first. */
  | { readonly kind: 'orphaned' }
  | { readonly kind: 'hung' };

export interface Asked {
  readonly operation: Operation;
  readonly client: string;
  /** Milliseconds since the run began. */
  readonly at: number;
  /** When its bridge had read it at the latest; Infinity until that is known. */
  readAt: number;
  ending: Ending;
  endedAt: number;
}

/** Tries of one request that may arrive at the service: three, each asked twice where the connection is silent. */
const MAX_ARRIVALS = 6;

/** After these errors a write may have run. */
const MAY_HAVE_RUN = new Set(['ERR_UPSTREAM_OUTCOME_UNKNOWN']);

export class Ledger {
  readonly violations: string[] = [];
  readonly events: string[] = [];
  readonly asked: Asked[] = [];
  /** Of each request that ended in an error: what its client and the service saw. */
  readonly errors: string[] = [];
  readonly #startedAt = performance.now();
  readonly #maxArrivals: number;

  /** @param lives how many bridges may deal with one request, each anew */
  constructor(lives: number) {
    this.#maxArrivals = MAX_ARRIVALS * lives;
  }

  /** Milliseconds since this time of `now`, without those in which the machine let nothing run. */
  fairlySince(at: number): number {
    return fairMs(this.#startedAt + at);
  }

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#startedAt;
  }

  note(what: string): void {
    this.events.push(`${(this.now() / 1000).toFixed(2)} s ${what}`);
  }

  violation(what: string): void {
    const text = `${(this.now() / 1000).toFixed(2)} s ${what}`;
    this.violations.push(text);
    this.events.push(`!! ${text}`);
  }

  open(client: string, operation: Operation): Asked {
    const asked: Asked = {
      operation,
      client,
      at: this.now(),
      readAt: Infinity,
      ending: { kind: 'open' },
      endedAt: 0,
    };
    this.asked.push(asked);
    return asked;
  }

  end(asked: Asked, ending: Ending): void {
    asked.ending = ending;
    asked.endedAt = this.now();
  }

  /** Compares what clients were told with what the service did. */
  settle(executions: ReadonlyMap<string, number>, fates: ReadonlyMap<string, readonly string[]>): void {
    for (const asked of this.asked) {
      const { operation, ending } = asked;
      const met = fates.get(operation.nonce) ?? [];
      const story = (): string => `${tell(asked)}; at the service: ${met.join(', ') || 'never seen'}`;
      if (ending.kind === 'error') this.errors.push(story());
      if (ending.kind === 'open') this.violation(`never ended: ${story()}`);
      if (met.filter((fate) => !fate.endsWith('unknown session')).length > this.#maxArrivals)
        this.violation(`arrived too often: ${story()}`);
      if (!operation.isWrite) continue;
      const ran = executions.get(operation.nonce) ?? 0;
      if (ran > 1) this.violation(`write ran ${ran} times: ${story()}`);
      if (ending.kind === 'result' && ran === 0)
        this.violation(`write succeeded without running: ${story()}`);
      if (ending.kind === 'error' && !MAY_HAVE_RUN.has(ending.code) && ran > 0)
        this.violation(`write ran, but its error does not say that it may have: ${story()}`);
    }
  }

  /** How many requests ended in which way. */
  endings(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { ending } of this.asked) {
      const name = ending.kind === 'error' ? ending.code : ending.kind;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }
}

export function tell({ client, operation, at, ending, endedAt }: Asked): string {
  const how = ending.kind === 'error' ? ending.code : ending.kind;
  const when = ending.kind === 'open' ? '' : ` at ${(endedAt / 1000).toFixed(2)} s`;
  return `${client} ${operation.kind} ${operation.nonce} (id ${JSON.stringify(operation.id)}) sent at ${(at / 1000).toFixed(2)} s: ${how}${when}`;
}
