/** `safe`: may be sent twice without doing anything twice. */
export type ReplaySafety = 'safe' | 'unsafe';

/** What a service says of a tool in tools/list (MCP 2025-11-25, ToolAnnotations). */
export interface ToolAnnotations {
  readonly readOnlyHint?: unknown;
  readonly idempotentHint?: unknown;
}

/**
 * Only a tool call may change something at the service; every other MCP method reads, or sets what it names.
 * @param annotations of the tool that is called, as last listed; undefined for one that was never listed
 */
export function replaySafety(method: string, annotations: ToolAnnotations | undefined): ReplaySafety {
  if (method !== 'tools/call') return 'safe';
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true ? 'safe' : 'unsafe';
}
