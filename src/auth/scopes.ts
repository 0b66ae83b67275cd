// Which scopes to ask for. Pure.

/** More than any service names; what a stranger sends is cut here. */
const MAX_SCOPES = 64;

export interface ScopeSources {
  /** The person's own wish. */
  readonly wanted?: string | undefined;
  /** Of the challenge: what this request needs. */
  readonly challenge?: string | undefined;
  /** Of the resource's own document. */
  readonly resource?: readonly string[] | undefined;
  /** Of the authorization server's document. */
  readonly server?: readonly string[] | undefined;
}

/**
 * The first of the sources that says something; undefined leaves the choice to the server. `offline_access` is added where the
 * server knows it, because only then do some give a refresh token.
 */
export function chooseScope({ wanted, challenge, resource, server }: ScopeSources): string | undefined {
  if (wanted !== undefined) return joined(wanted.split(/\s+/));
  const chosen = joined(challenge?.split(/\s+/) ?? []) ?? joined(resource ?? []);
  if (chosen === undefined || server?.includes('offline_access') !== true) return chosen;
  return joined([...chosen.split(' '), 'offline_access']);
}

/** What a step up asks for: what was granted and what is now needed; undefined where that is nothing new, or too much. */
export function stepUpScope(granted: string | undefined, needed: string | undefined): string | undefined {
  const before = new Set(granted?.split(' ') ?? []);
  const added = (needed?.split(/\s+/) ?? []).filter((scope) => isScope(scope) && !before.has(scope));
  if (added.length === 0 || before.size + added.length > MAX_SCOPES) return undefined;
  return joined([...before, ...added]);
}

function joined(scopes: readonly string[]): string | undefined {
  const good = [...new Set(scopes.filter(isScope))].slice(0, MAX_SCOPES);
  return good.length === 0 ? undefined : good.join(' ');
}

/** RFC 6749, section 3.3. */
function isScope(text: string): boolean {
  return text.length <= 256 && /^[\u0021\u0023-\u005b\u005d-\u007e]+$/.test(text);
}
