// A hosted service that costs as little as it can, so that what `npm run bench` measures is the bridge in front of it.
// Plain node:http, sessions by id, three tools: `echo`, `blob` (answers with so many bytes), `sink` (takes big arguments).
// It checks only what keeps the figures honest: a call without a live session is refused.
//
//   node bench/service.ts [--mode sse|json] [--handshake-ms N]     prints one line: {"url": "http://127.0.0.1:…/mcp"}
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServiceOptions {
  /** How a request is answered: an SSE stream as the SDK's servers do by default, or one JSON body. */
  readonly mode: 'sse' | 'json';
  /** What `initialize` costs. */
  readonly handshakeMs: number;
}

export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly protocolVersion?: string;
    readonly arguments?: { readonly text?: string; readonly bytes?: number };
  };
}

const parsedWholeBytes = 65_536;
const edgeBytes = 256;

const tools = [
  { name: 'echo', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
  { name: 'blob', inputSchema: { type: 'object', properties: { bytes: { type: 'integer' } } } },
  { name: 'sink', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
];

/** JSON string literals of blobs by size: text with escapes in it, as real documents have. */
const blobs = new Map<number, string>();

function blobLiteral(bytes: number): string {
  let literal = blobs.get(bytes);
  if (literal === undefined) {
    const line = 'It is "quoted" here, and a line of a document ends there.\n';
    literal = JSON.stringify(line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes));
    blobs.set(bytes, literal);
  }
  return literal;
}

/** The JSON text of the result, or undefined for a method that this service does not have. */
function resultOf(message: Message): string | undefined {
  const args = message.params?.arguments;
  switch (message.method) {
    case 'tools/call':
      if (message.params?.name === 'echo') return textResult(JSON.stringify(args?.text ?? ''));
      if (message.params?.name === 'blob') return textResult(blobLiteral(args?.bytes ?? 0));
      if (message.params?.name === 'sink')
        return textResult(`"${args?.bytes ?? args?.text?.length} received"`);
      return undefined;
    case 'initialize':
      return JSON.stringify({
        protocolVersion: message.params?.protocolVersion ?? '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'bench-service', version: '1.0.0' },
      });
    case 'tools/list':
      return JSON.stringify({ tools });
    case 'ping':
      return '{}';
    default:
      return undefined;
  }
}

function textResult(literal: string): string {
  return `{"content":[{"type":"text","text":${literal}}]}`;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** A large message is known by its edges: parsing a megabyte would hide what the bridge costs. */
function readMessage(body: Buffer): Message {
  if (body.length <= parsedWholeBytes) return JSON.parse(body.toString()) as Message;
  const edges = body.toString('latin1', 0, edgeBytes) + body.toString('latin1', body.length - edgeBytes);
  const id = Number(/"id":(\d+)[,}]/.exec(edges)?.[1]);
  return { id, method: 'tools/call', params: { name: 'sink', arguments: { bytes: body.length } } };
}

export async function startService({ mode, handshakeMs }: ServiceOptions): Promise<Service> {
  const sessions = new Set<string>();

  async function answerPost(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = readMessage(await readBody(request));
    let sessionId = request.headers['mcp-session-id'];
    if (message.method === 'initialize') {
      if (handshakeMs > 0) await sleep(handshakeMs);
      sessions.add((sessionId = randomUUID()));
    } else if (typeof sessionId !== 'string' || !sessions.has(sessionId)) {
      response.writeHead(404).end();
      return;
    }
    if (message.id === undefined || message.method === undefined) {
      response.writeHead(202).end();
      return;
    }
    const result = resultOf(message);
    const outcome =
      result === undefined ? '"error":{"code":-32601,"message":"unknown"}' : `"result":${result}`;
    const json = `{${outcome},"jsonrpc":"2.0","id":${JSON.stringify(message.id)}}`;
    if (mode === 'json') {
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': sessionId }).end(json);
    } else {
      response
        .writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-cache, no-transform',
          'mcp-session-id': sessionId,
        })
        .end(`event: message\ndata: ${json}\n\n`);
    }
  }

  const server = createServer((request, response) => {
    if (request.url !== '/mcp') {
      response.writeHead(404).end();
    } else if (request.method === 'POST') {
      answerPost(request, response).catch(() => response.writeHead(400).end());
    } else if (request.method === 'DELETE') {
      sessions.delete(String(request.headers['mcp-session-id']));
      response.writeHead(200).end();
    } else {
      response.writeHead(405, { allow: 'POST, DELETE' }).end();
    }
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { mode: { type: 'string', default: 'sse' }, 'handshake-ms': { type: 'string', default: '0' } },
  });
  const service = await startService({
    mode: values.mode === 'json' ? 'json' : 'sse',
    handshakeMs: Number(values['handshake-ms']),
  });
  console.log(JSON.stringify({ url: service.url }));
  // Whoever started it holds its stdin: it ends with them, whatever happens to them.
  process.stdin.on('end', () => void service.close().then(() => process.exit(0))).resume();
}
