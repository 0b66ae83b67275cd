// What a request is told that has no valid token to go with. Words alone.

import type { ErrorCode } from '../protocol/errors.ts';
import type { StoreFailure } from './store/store.ts';

/** As `Failure` of protocol/errors, always with a remedy. */
export interface SignInFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/** Why a person has to sign in. */
export type SignInNeed =
  /** Nobody has. */
  | 'none'
  /** The authorization server refuses to renew it. */
  | 'refused'
  /** The service refuses a token that cannot be renewed. */
  | 'token-refused'
  /** The service refuses what was only just renewed. */
  | 'unaccepted';

/** @param target what `mcp-bridge login` takes: a profile or a URL */
export function signInFailure(need: SignInNeed, host: string, target: string): SignInFailure {
  const remedy = `Run \`mcp-bridge login ${target}\`; the running bridge takes it up by itself.`;
  return { code: 'ERR_AUTH_REQUIRED', message: MESSAGES[need](host), remedy };
}

const MESSAGES: Record<SignInNeed, (host: string) => string> = {
  none: (host) => `${host} wants a sign-in, and nobody is signed in (HTTP 401).`,
  refused: (host) =>
    `The sign-in to ${host} has ended: its authorization server refuses to renew it. It has expired or was revoked.`,
  'token-refused': (host) => `${host} refuses the stored token (HTTP 401). It has probably expired.`,
  unaccepted: (host) => `${host} refuses a token that was only just renewed (HTTP 401).`,
};

export function awayFailure(host: string, reason: string): SignInFailure {
  return {
    code: 'ERR_AUTH_UNREACHABLE',
    message: `The access token for ${host} has run out, and cannot be renewed at the moment. ${reason}`,
    remedy: 'Try again in a moment; the bridge keeps trying by itself.',
  };
}

export function storeTrouble({ code, message, remedy }: StoreFailure): SignInFailure {
  return { code, message: `The sign-in cannot be read. ${message}`, remedy };
}

const MAX_SCOPES_SHOWN = 20;

export function scopeFailure(scope: string, host: string, target: string): SignInFailure {
  const names = scope.split(' ');
  const shown = names.slice(0, MAX_SCOPES_SHOWN).join(', ');
  return {
    code: 'ERR_AUTH_SCOPE',
    message: `${host} wants more than the present sign-in was granted (HTTP 403). In all it takes: ${shown}.`,
    remedy: `Run \`mcp-bridge login ${target}\`, which asks for these scopes, then try again.`,
  };
}
