// A hosted service that can be killed and started again on its port, and remembers who came: for `npm run bench:storm`. With
// sessions and a stream for each, as the SDK's servers have, so that bridges notice its end at once. A process of its own
// (child_process.fork); its parent asks for the record by any message.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Seen {
  /** Handshakes by the name of the client. */
  readonly handshakes: Readonly<Record<string, number>>;
  /** When they came, in milliseconds since 1970. */
  readonly handshakesAt: readonly number[];
}

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string; readonly clientInfo?: { readonly name?: string } };
}

const handshakeMs = 20;
const tools = [{ name: 'look', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];

const handshakes = new Map<string, number>();
const handshakesAt: number[] = [];
const sessions = new Set<string>();

function resultOf({ method, params }: Message): object {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion ?? '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'storm-service', version: '1.0.0' },
      };
    case 'tools/list':
      return { tools };
    case 'tools/call':
      return { content: [{ type: 'text', text: 'all is well' }] };
    default:
      return {};
  }
}

async function answerPost(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
  let session = String(request.headers['mcp-session-id']);
  if (message.method === 'initialize') {
    const name = message.params?.clientInfo?.name ?? '';
    handshakes.set(name, (handshakes.get(name) ?? 0) + 1);
    handshakesAt.push(Date.now());
    await sleep(handshakeMs);
    sessions.add((session = randomUUID()));
  } else if (!sessions.has(session)) {
    response.writeHead(404).end();
    return;
  }
  if (message.id === undefined || message.method === undefined) {
    response.writeHead(202).end();
    return;
  }
  response
    .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session })
    .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(message) }));
}

function openStream(request: IncomingMessage, response: ServerResponse): void {
  if (!sessions.has(String(request.headers['mcp-session-id']))) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

const server = createServer((request, response) => {
  if (request.method === 'POST') answerPost(request, response).catch(() => response.writeHead(400).end());
  else if (request.method === 'GET') openStream(request, response);
  else {
    sessions.delete(String(request.headers['mcp-session-id']));
    response.writeHead(200).end();
  }
});
server.keepAliveTimeout = 120_000;
server.listen({ port: Number(process.argv[2] ?? 0), host: '127.0.0.1', backlog: 1024 }, () =>
  process.send?.(server.address()),
);
process.on('message', () => {
  const seen: Seen = { handshakes: Object.fromEntries(handshakes), handshakesAt };
  process.send?.(seen);
});
// It ends with whoever started it.
process.on('disconnect', () => process.exit());
