// What one client has set for itself at a service that it shares: its log level and its resource subscriptions.

/** From the most verbose to the least (MCP, server/utilities/logging; RFC 5424). */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** A client that subscribes to more is served, but its subscriptions are not told from those of others. */
const MAX_SUBSCRIPTIONS = 4096;

export function logLevel(text: string | undefined): LogLevel | undefined {
  return LEVELS.find((level) => level === text);
}

/** Undefined where none is given. */
export function mostVerbose(levels: Iterable<LogLevel | undefined>): LogLevel | undefined {
  const given = new Set(levels);
  return LEVELS.find((level) => given.has(level));
}

export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

export class Wishes {
  /** Undefined while the client leaves it to the service. */
  level: LogLevel | undefined;
  readonly #uris = new Set<string>();

  get uris(): ReadonlySet<string> {
    return this.#uris;
  }

  /** False where nothing changes. */
  add(uri: string): boolean {
    if (this.#uris.has(uri) || this.#uris.size >= MAX_SUBSCRIPTIONS) return false;
    this.#uris.add(uri);
    return true;
  }

  remove(uri: string): void {
    this.#uris.delete(uri);
  }

  /** Whether an update of this resource is meant for the client; it may be a part of what was subscribed to. */
  covers(uri: string): boolean {
    if (this.#uris.has(uri)) return true;
    for (const subscribed of this.#uris) if (uri.startsWith(subscribed)) return true;
    return false;
  }
}
