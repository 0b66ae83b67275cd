// What the tests of signing in share: the parts that a flow takes, with the real clock and a real network.
import { onTestFinished } from 'vitest';
import { discover, type Discovered } from '../../src/auth/discovery.ts';
import type { FlowParts, SignedIn } from '../../src/auth/flow.ts';
import { signInByCode } from '../../src/auth/authorization-code.ts';
import { createGuardedFetch, type Fetch } from '../../src/auth/guarded-fetch.ts';
import { rulesFor, type UrlRules } from '../../src/auth/safe-url.ts';
import { chooseScope } from '../../src/auth/scopes.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { browse } from '../support/sign-in-browser.ts';

export interface Around {
  readonly service: URL;
  readonly rules: UrlRules;
  readonly fetch: Fetch;
}

export function around(service: string): Around {
  const url = new URL(service);
  const rules = rulesFor(url, false);
  return { service: url, rules, fetch: createGuardedFetch({ rules, clock: systemClock }) };
}

export async function discovered(service: string): Promise<Discovered> {
  const place = around(service);
  const found = await discover(place.service, {}, place);
  if (found.kind === 'not-needed') throw new Error('The service wants no sign-in.');
  return found;
}

/** Ends with the test what has not ended by itself. */
function useSignal(): AbortSignal {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  return controller.signal;
}

export async function flowParts(service: string, changes: Partial<FlowParts> = {}): Promise<FlowParts> {
  const found = changes.discovered ?? (await discovered(service));
  return {
    discovered: found,
    scope: chooseScope(found.scopes),
    client: {},
    fetch: around(service).fetch,
    clock: systemClock,
    signal: useSignal(),
    ...changes,
  };
}

/** Signs in as a person would whose browser goes wherever it is sent. */
export async function signInAs(
  parts: FlowParts,
  visit: (url: URL) => unknown = (url) => browse(url.href),
): Promise<SignedIn> {
  const visits: Promise<unknown>[] = [];
  try {
    return await signInByCode(parts, {
      redirectPort: 0,
      show: async (url) => void visits.push(Promise.resolve(visit(url)).catch(() => undefined)),
      settle: async () => {},
    });
  } finally {
    await Promise.all(visits);
  }
}
