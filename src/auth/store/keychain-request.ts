// What the keychain's own process is asked, and what it says: one line of JSON each way, through pipes, so that no secret is seen
// in a list of processes.

export type KeychainRequest =
  /** `isExpected`: there should be one, so that nothing found has to be explained. */
  | { readonly op: 'get'; readonly account: string; readonly isExpected: boolean }
  | { readonly op: 'set'; readonly account: string; readonly secret: string }
  | { readonly op: 'delete'; readonly account: string; readonly isExpected: boolean };

export type KeychainReply =
  | { readonly kind: 'found'; readonly secret: string }
  | { readonly kind: 'done' }
  /** The keychain is open, and there is none. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'trouble'; readonly trouble: KeychainTrouble };

export type KeychainTrouble =
  /** The module for this system's keychain cannot be loaded. */
  | 'no-module'
  /** Linux: no session bus. */
  | 'no-bus'
  /** Linux: a session bus, and nobody on it who keeps secrets. */
  | 'no-service'
  | 'locked'
  | 'no-answer'
  /** Anything else. */
  | 'failed';

/** Under which name the operating system shows the entries. */
export const KEYCHAIN_SERVICE = 'mcp-bridge';
/** Longest wait for the keychain, in milliseconds. It may never answer, as when the session bus hangs. */
export const KEYCHAIN_LIMIT_MS = 5000;
