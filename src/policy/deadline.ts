// How long a request may wait for its answer. The bridge must answer before the client gives up, because a client that gives
// up tells its user only that something timed out.

/** The settings that limit waiting, in milliseconds. */
export interface TimeLimits {
  readonly requestTimeoutMs: number;
  readonly toolTimeoutMs: number;
  readonly toolTimeoutMaxMs: number;
}

/**
 * Clients whose limit for tool calls is known, with a limit below it in milliseconds.
 * `local-agent-mode-*` gives up after 60 s; `claude-ai` after 240 s, which the default setting is made for.
 */
const LOCAL_AGENT_TOOL_MS = 55_000;

export interface Deadline {
  /** Milliseconds without a sign of life, from when the request was read or last showed progress. */
  readonly limitMs: number;
  /** Milliseconds from when the request was read, whatever it shows. */
  readonly maxMs: number;
}

export function deadline(method: string, clientName: string | undefined, limits: TimeLimits): Deadline {
  if (method !== 'tools/call') return { limitMs: limits.requestTimeoutMs, maxMs: limits.requestTimeoutMs };
  const { toolTimeoutMs, toolTimeoutMaxMs } = limits;
  // These clients give up at a fixed time, progress or not.
  if (clientName?.startsWith('local-agent-mode-') === true) {
    const limitMs = Math.min(LOCAL_AGENT_TOOL_MS, toolTimeoutMs);
    return { limitMs, maxMs: limitMs };
  }
  if (clientName === 'claude-ai') return { limitMs: toolTimeoutMs, maxMs: toolTimeoutMs };
  return { limitMs: toolTimeoutMs, maxMs: Math.max(toolTimeoutMs, toolTimeoutMaxMs) };
}
