// Redirects inside the origin (ADR 8), over real sockets.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { handshakeInTime } from '../../src/upstream/handshake.ts';
import { HttpClient, type HttpRequest } from '../../src/upstream/http.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { useHttpServer } from '../support/http-server.ts';
import { Client } from './calling.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

const NEVER = new AbortController().signal;

/** A client for the path /mcp, and what came at the server, as `method path`. */
async function useClient(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ client: HttpClient; url: URL; seen: () => string[] }> {
  const { origin, requests } = await useHttpServer(handler);
  const url = new URL('/mcp', origin);
  const client = new HttpClient(url, {}, settings);
  onTestFinished(() => client.destroy());
  return { client, url, seen: () => requests.map((request) => `${request.method} ${request.url}`) };
}

/** Sends one request; its status. */
async function send(client: HttpClient, method: HttpRequest['method']): Promise<number> {
  let status = 0;
  const sink = { onHeaders: (code: number) => void (status = code), onData: () => {} };
  const body = method === 'POST' ? { body: Buffer.from('{}') } : undefined;
  await client.send({ method, headers: {}, ...body }, sink, NEVER);
  return status;
}

test('SE1 where a POST is redirected to, every later request goes at once', async () => {
  const { client, seen } = await useClient((request, response) => {
    if (request.url === '/mcp') response.writeHead(307, { location: '/mcp/' });
    response.end();
  });
  for (const method of ['POST', 'POST', 'GET', 'DELETE'] as const)
    expect(await send(client, method)).toBe(200);
  expect(seen()).toEqual(['POST /mcp', 'POST /mcp/', 'POST /mcp/', 'GET /mcp/', 'DELETE /mcp/']);
});

test.each(['GET', 'DELETE'] as const)(
  'SE6 a %s that is redirected takes no other request with it',
  async (method) => {
    const { client, seen } = await useClient((request, response) => {
      if (request.method === method && request.url === '/mcp')
        response.writeHead(308, { location: '/mcp/other' });
      response.end();
    });
    for (const each of [method, 'POST', method] as const) expect(await send(client, each)).toBe(200);
    const followed = [`${method} /mcp`, `${method} /mcp/other`];
    expect(seen()).toEqual([...followed, 'POST /mcp', ...followed]);
  },
);

test('SE4 a new handshake follows the redirect to where it leads by now', async () => {
  let target = '/blue';
  const { client, url, seen } = await useClient((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (request.url === '/mcp') return response.writeHead(307, { location: target }).end();
      if (request.url !== target) return response.writeHead(404).end();
      const { id } = JSON.parse(body) as { id?: number };
      if (id === undefined) return response.writeHead(202).end();
      const result = { protocolVersion: '2025-06-18', capabilities: {} };
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': target });
      return response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  const clock = new FakeClock();
  const context = { url, http: client, settings, clock, observer: () => {}, unsolicited: new Client() };
  const initialize = requestOf('init', 'initialize', { protocolVersion: '2025-06-18', capabilities: {} });
  for (target of ['/blue', '/green'])
    expect(await handshakeInTime(context, initialize, NEVER, true)).toMatchObject({ sessionId: target });
  const greeted = (path: string): string[] => ['POST /mcp', `POST ${path}`, `POST ${path}`];
  expect(seen()).toEqual([...greeted('/blue'), ...greeted('/green')]);
});
