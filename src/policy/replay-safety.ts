/** `safe`: may be sent twice without doing anything twice. */
export type ReplaySafety = 'safe' | 'unsafe';

/** Only a tool call may change something at the service; every other MCP method reads, or sets what it names. */
export function replaySafety(method: string): ReplaySafety {
  return method === 'tools/call' ? 'unsafe' : 'safe';
}
