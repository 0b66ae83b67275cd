// PF4: what a call costs on the session that the bridge keeps, against one that makes its own connection and session,
// when the service's handshake is expensive.
import { Client } from 'undici';
import { BridgeProcess, callLine, echoLine, type Command } from './driver.ts';
import { median } from './statistics.ts';

export interface HandshakeCost {
  readonly handshakeMs: number;
  /** Medians of one call, in milliseconds. */
  readonly sessionMs: number;
  readonly perRequestMs: number;
}

export const expensiveHandshakeMs = 400;
const warmCalls = 500;
const sessionCalls = 500;

export async function measureHandshakeCost(
  url: string,
  command: Command,
  perRequestCalls: number,
): Promise<HandshakeCost> {
  const perRequest: number[] = [];
  for (let call = 0; call < perRequestCalls; call += 1)
    perRequest.push(await callWithOwnSession(new URL(url)));

  const bridge = await BridgeProcess.launch(command, AbortSignal.timeout(30_000));
  try {
    await bridge.callInTurn(warmCalls, echoLine);
    const session = await bridge.callInTurn(sessionCalls, echoLine);
    return {
      handshakeMs: expensiveHandshakeMs,
      sessionMs: median(session),
      perRequestMs: median(perRequest),
    };
  } finally {
    await bridge.close();
  }
}

/** Connect, handshake, one call, DELETE, close: what a bridge without a session to keep does each time. */
async function callWithOwnSession(url: URL): Promise<number> {
  const startedAt = performance.now();
  const client = new Client(url.origin);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const send = async (method: 'POST' | 'DELETE', message?: string): Promise<void> => {
    const answer = await client.request({ method, path: url.pathname, headers, body: message ?? null });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`The service answered HTTP ${answer.statusCode}: ${text}`);
    headers['mcp-session-id'] ??= String(answer.headers['mcp-session-id']);
  };
  const params =
    '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}';
  await send('POST', `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`);
  await send('POST', '{"jsonrpc":"2.0","method":"notifications/initialized"}');
  await send('POST', callLine(1, 'echo', '{"text":"hello, bridge"}'));
  await send('DELETE');
  await client.close();
  return performance.now() - startedAt;
}
