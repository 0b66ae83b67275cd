// How long a request may wait for its answer. The bridge must answer before the client gives up, because a client that gives
// up tells its user only that something timed out.

/** The settings that limit waiting, in milliseconds. */
export interface TimeLimits {
  readonly initializeTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly toolTimeoutMs: number;
}

/**
 * Clients whose limit for tool calls is known, with a limit below it in milliseconds.
 * `local-agent-mode-*` gives up after 60 s; `claude-ai` after 240 s, which the default setting is made for.
 */
const LOCAL_AGENT_TOOL_MS = 55_000;

/** @returns milliseconds from when the request was read */
export function deadlineMs(method: string, clientName: string | undefined, limits: TimeLimits): number {
  switch (method) {
    case 'initialize':
      return limits.initializeTimeoutMs;
    case 'tools/call':
      if (clientName?.startsWith('local-agent-mode-') === true)
        return Math.min(LOCAL_AGENT_TOOL_MS, limits.toolTimeoutMs);
      return limits.toolTimeoutMs;
    default:
      return limits.requestTimeoutMs;
  }
}
