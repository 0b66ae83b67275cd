// The challenge in a WWW-Authenticate header (RFC 9110, section 11.6.1; RFC 6750; RFC 9728). Pure, and linear in what it reads.

export interface Challenge {
  /** Where the service says who gives tokens for it; not looked at yet. */
  readonly resourceMetadata?: string;
  /** Separated by spaces. */
  readonly scope?: string;
  readonly error?: string;
}

/** What is read of the header; Node.js takes at most 16 KiB of all headers together. */
const MAX_LENGTH = 8192;
/** auth-param, or the name of a scheme: a token, perhaps with a value. `token68` credentials are no challenge of ours. */
const PART = /([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gy;

/** The Bearer challenge among those of the header; empty where there is none. */
export function parseChallenge(header: string | null | undefined): Challenge {
  const text = (header ?? '').slice(0, MAX_LENGTH);
  const found: Record<string, string> = {};
  let isBearer = false;
  PART.lastIndex = 0;
  for (;;) {
    while (/[\s,]/.test(text.charAt(PART.lastIndex))) PART.lastIndex += 1;
    const match = PART.exec(text);
    if (match === null) break;
    const [, name = '', inQuotes, plain] = match;
    const value = inQuotes?.replaceAll(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) isBearer = name.toLowerCase() === 'bearer';
    // The first of a name counts, so that nothing that follows can replace it.
    else if (isBearer && !Object.hasOwn(found, name.toLowerCase())) found[name.toLowerCase()] = value;
  }
  const { resource_metadata: resourceMetadata, scope, error } = found;
  return {
    ...(resourceMetadata !== undefined && { resourceMetadata }),
    ...(scope !== undefined && scope.trim() !== '' && { scope: scope.trim().split(/\s+/).join(' ') }),
    ...(error !== undefined && { error }),
  };
}
