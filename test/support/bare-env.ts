// The environment in which tests launch the program.

/** This process's environment without what would configure a bridge, or Node itself, in a way that tests do not expect. */
export function bareEnv(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(MCP_BRIDGE_|NODE_OPTIONS$|VITEST|https?_proxy$)/i.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
