// The closing comparison: the same call on one persistent session through the bridge, and with a session of its own
// each time, as a bridge without persistent sessions would do it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const request = { name: 'search_notes', arguments: { query: 'bread' } };

/** Milliseconds of each call, in the order they were made. */
export type Timings = number[];

export async function timePersistent(
  client: Client,
  calls: number,
  onCall: (done: number) => void,
): Promise<Timings> {
  const timings: Timings = [];
  while (timings.length < calls) {
    const startedAt = performance.now();
    await client.callTool(request);
    timings.push(performance.now() - startedAt);
    onCall(timings.length);
  }
  return timings;
}

/** Straight to the service, with no bridge and no process in between: the cheapest form a per-request session can have. */
export async function timePerRequest(
  url: string,
  calls: number,
  onCall: (done: number) => void,
): Promise<Timings> {
  const timings: Timings = [];
  while (timings.length < calls) {
    const transport = new StreamableHTTPClientTransport(new URL(url));
    const client = new Client({ name: 'per-request-client', version: '1.0.0' });
    try {
      const startedAt = performance.now();
      await client.connect(transport);
      await client.callTool(request);
      // The caller has its answer: what ending the session costs is left out, in favour of this side.
      timings.push(performance.now() - startedAt);
      await transport.terminateSession();
    } finally {
      await client.close();
    }
    onCall(timings.length);
  }
  return timings;
}

/** Nearest rank: always a value that was measured. `q` from 0 to 1. */
export function quantile(timings: Timings, q: number): number {
  const sorted = [...timings].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
