// The status as a fold over the events. No clock and no I/O of its own: the same events give the same status.

import type { Observed } from './events.ts';
import { ProfileRecord } from './profile-record.ts';
import { STATUS_VERSION, type Instance, type Status } from './status.ts';

const MAX_PROFILES = 256;

export class StatusFold {
  readonly #profiles = new Map<string, ProfileRecord>();

  take(observed: Observed): void {
    this.#record(observed)?.take(observed);
  }

  /** @param now milliseconds since 1970 */
  snapshot(now: number, instance: Instance): Status {
    const profiles = [...this.#profiles.values()]
      .map((record) => record.snapshot(now))
      .sort((a, b) => (a.profile < b.profile ? -1 : 1));
    return {
      statusVersion: STATUS_VERSION,
      at: new Date(now).toISOString(),
      health: profiles.every(({ health }) => health === 'healthy') ? 'healthy' : 'degraded',
      instance,
      profiles,
    };
  }

  #record({ at, labels: { profile } }: Observed): ProfileRecord | undefined {
    // What concerns no profile is the daemon's own.
    if (profile === '') return undefined;
    const known = this.#profiles.get(profile);
    if (known !== undefined) return known;
    if (this.#profiles.size >= MAX_PROFILES && !this.#forgetOne()) return undefined;
    const record = new ProfileRecord(profile, at);
    this.#profiles.set(profile, record);
    return record;
  }

  /** The oldest that nobody uses. */
  #forgetOne(): boolean {
    for (const [name, record] of this.#profiles) if (record.isQuiet) return this.#profiles.delete(name);
    return false;
  }
}
