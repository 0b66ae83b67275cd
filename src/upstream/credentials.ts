// What the HTTP client asks of whoever has the Authorization header, where that changes while a session lives. `auth/` has one.

import type { Signal } from '../platform/abort.ts';
import type { Failure } from '../protocol/errors.ts';

export interface Credentials {
  /** The header's value; undefined where requests go without. */
  readonly header: string | undefined;
  /** False where `obtain` has to be awaited before a request goes. Asked for every request. */
  readonly isReady: boolean;
  /** Undefined when there is a valid header, or requests may go without. Never rejects. */
  obtain(signal: Signal): Promise<NoCredentials | undefined>;
  /** The service has answered 401 to a request with this header. Undefined when there is another one. Never rejects. */
  refused(header: string | undefined, signal: Signal): Promise<NoCredentials | undefined>;
  /**
   * What a 403 with this challenge means for a request with this header: undefined where scopes are not the matter, `renewed` where
   * another header may do that was not there when the request went.
   */
  scopeMissing(challenge: string, header: string | undefined): Failure | 'renewed' | undefined;
  /** The service has let the client in. */
  accepted(): void;
  /** The machine has slept or changed networks: what could not be reached may be reached again. */
  checkNow(): void;
  /** Calls `listener` when somebody has signed in or out. Returns the end of it. */
  onChange(listener: () => void): () => void;
}

export interface NoCredentials {
  readonly failure: Failure;
  /** Nothing changes before somebody signs in; `onChange` tells of it. */
  readonly waitsForPerson: boolean;
}
