// What can go wrong in talking to an authorization server: a code, and what a person can do about it. docs/errors.md explains each.

export const AUTH_REMEDIES = {
  /** It does not answer, or says that it cannot now. What was valid stays valid. */
  ERR_AUTH_UNREACHABLE: 'Check that this machine is online, then try again.',
  ERR_AUTH_BAD_ANSWER: 'Tell the people who run the service; this is a fault on its side.',
  /** Going on could give the sign-in to somebody else. */
  ERR_AUTH_UNSAFE: 'Nothing was sent there. Tell the people who run the service before you try again.',
  ERR_AUTH_NOT_OFFERED: 'Ask the people who run the service how to get in.',
  ERR_AUTH_REFUSED: 'Ask the people who run the service for access, or sign in again.',
  /** The grant is gone; only a person can get another. */
  ERR_AUTH_REVOKED: 'Sign in again with `mcp-bridge login`.',
  /** The person did not finish in time, or ended it. */
  ERR_AUTH_ABANDONED: 'Run `mcp-bridge login` again when you are ready.',
} as const;

export type AuthErrorCode = keyof typeof AUTH_REMEDIES;

/** One or two sentences in `message`: what happened, and why. No secrets. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;
  readonly remedy: string;

  constructor(code: AuthErrorCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? AUTH_REMEDIES[code];
  }
}

/**
 * Text from a stranger as a part of a message: one line, of bounded length, that cannot steer a terminal.
 */
export function quoted(text: string): string {
  const plain = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ').trim();
  return plain.length <= 200 ? plain : `${plain.slice(0, 200)}…`;
}
