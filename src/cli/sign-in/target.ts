// Which service a sign-in is for, and what goes with it: its address, headers and rules, and the record in the store.

import { createGuardedFetch, type Fetch } from '../../auth/guarded-fetch.ts';
import { rulesFor, type UrlRules } from '../../auth/safe-url.ts';
import { storeKey } from '../../auth/store/store.ts';
import type { ConfigPlaces } from '../../config/layers.ts';
import { ConfigError, profileNames, resolveRun } from '../../config/resolve.ts';
import { fetchFor } from '../../platform/network/fetch.ts';
import { UsageError, type Arguments, type CommandContext } from '../command.ts';

export interface SignInTarget {
  /** As the person calls it: a profile's name, or the address. */
  readonly name: string;
  readonly service: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly rules: UrlRules;
  readonly fetch: Fetch;
  /** Names the record. */
  readonly key: string;
}

/** @throws UsageError */
export function targetOf(
  { words, options }: Arguments,
  { env, paths, clock }: CommandContext,
  signal: AbortSignal,
): SignInTarget {
  try {
    const target = words[0] ?? onlyProfile(paths);
    const flags = options['allow-http'] === true ? { 'allow-http': true } : {};
    const { profile, settings } = resolveRun({ target, flags, headers: [] }, env, paths);
    const { url: service, headers } = profile;
    const rules = rulesFor(service, settings.allowHttp);
    const way = fetchFor(profile.network, settings.connectTimeoutMs);
    const fetch = createGuardedFetch({ rules, clock, signal, fetch: way });
    // Without the query, which may hold a key.
    const name = URL.canParse(target) ? service.origin + service.pathname : target;
    return { name, service, headers, rules, fetch, key: storeKey(service) };
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

function onlyProfile(places: ConfigPlaces): string {
  const names = profileNames(places);
  const [only, ...others] = names;
  if (only === undefined)
    throw new UsageError(`Which service? Give its URL: ${places.configFile} has no profile.`);
  if (others.length > 0) throw new UsageError(`Which profile? There are ${names.join(', ')}.`);
  return only;
}
