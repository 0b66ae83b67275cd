// Bounds what retries add to the load of a service that is in trouble already: a token bucket, as in gRPC's retry throttling
// (grpc/proposal, A6) and Finagle's retry budget.

export interface BudgetShape {
  /** What each new request adds; so this is the share of extra requests in the long run. */
  readonly perRequest: number;
  /** What may be kept, and what there is at the start. */
  readonly capacity: number;
}

export const RETRY_BUDGET: BudgetShape = { perRequest: 0.2, capacity: 100 };

export class RetryBudget {
  readonly #shape: BudgetShape;
  #tokens: number;

  constructor(shape: BudgetShape = RETRY_BUDGET) {
    this.#shape = shape;
    this.#tokens = shape.capacity;
  }

  /** A new request was made. */
  deposit(): void {
    this.#tokens = Math.min(this.#shape.capacity, this.#tokens + this.#shape.perRequest);
  }

  /** True when one more retry is within the budget; it is then taken. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
