import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RETRY_BUDGET, RetryBudget } from '../../src/policy/retry-budget.ts';

describe('RT5 SC4 the retry budget', () => {
  test('allows as many retries at once as it holds, and then none', () => {
    const budget = new RetryBudget({ perRequest: 0.2, capacity: 3 });
    expect(Array.from({ length: 6 }, () => budget.withdraw())).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('allows one retry for every five requests once that is used up', () => {
    const budget = new RetryBudget({ perRequest: 0.2, capacity: 1 });
    budget.withdraw();
    const allowed = Array.from({ length: 1000 }, () => {
      budget.deposit();
      return budget.withdraw();
    });
    const count = allowed.filter(Boolean).length;
    expect(count).toBeLessThanOrEqual(200);
    expect(count).toBeGreaterThan(190);
  });

  test('takes nothing for a retry that it does not allow', () => {
    const budget = new RetryBudget({ perRequest: 0.5, capacity: 1 });
    budget.withdraw();
    for (let n = 0; n < 10; n += 1) budget.withdraw();
    budget.deposit();
    budget.deposit();
    expect(budget.withdraw()).toBe(true);
  });

  test('saves up no more than it can hold', () => {
    const budget = new RetryBudget({ perRequest: 0.2, capacity: 2 });
    for (let n = 0; n < 1000; n += 1) budget.deposit();
    expect([budget.withdraw(), budget.withdraw(), budget.withdraw()]).toEqual([true, true, false]);
  });

  test('never allows more than 20 % of the requests and what it held at the start, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 3000, size: 'max' }), (isRequest) => {
        const budget = new RetryBudget();
        let requests = 0;
        let retries = 0;
        for (const each of isRequest) {
          if (each) {
            requests += 1;
            budget.deposit();
          } else if (budget.withdraw()) retries += 1;
        }
        expect(retries).toBeLessThanOrEqual(requests * 0.2 + RETRY_BUDGET.capacity + 1e-6);
      }),
    );
  });
});
