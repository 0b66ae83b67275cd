import type { Clock } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import type { Settings } from '../config/settings.ts';
import type { Profile } from '../config/resolve.ts';
import type { Observer } from '../observe/events.ts';
import type { Credentials } from './credentials.ts';
import type { SessionMemory } from './memory.ts';
import type { SessionClient } from './service-session.ts';

/** What a session is made from. */
export interface SessionOptions extends SessionClient {
  readonly profile: Profile;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  /** Has the Authorization, where that is not one of the profile's headers. */
  readonly credentials?: Credentials | undefined;
  /** What a new session is told again, where others than this one keep it too. */
  readonly memory?: SessionMemory;
}
