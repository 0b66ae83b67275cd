// HttpClient against a real HTTP/2 server over TLS (ADR 4).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ResponseSink } from '../../src/upstream/exchange.ts';
import { HttpClient, type HttpRequest } from '../../src/upstream/http.ts';
import { missingTools, needsTools } from '../support/needs.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

let folder: string;
let server: Http2SecureServer;
let origin: URL;
const sessions: ServerHttp2Session[] = [];
const protocols: string[] = [];

beforeAll(async () => {
  if (missingTools('openssl') !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-h2-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  setDefaultCACertificates([readFileSync(cert, 'utf8')]);
  server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true });
  server.on('session', (session) => sessions.push(session));
  server.on('request', (request, response) => {
    protocols.push(`${request.method} ${request.httpVersion}`);
    if (request.url === '/open') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': open\n\n');
    } else response.writeHead(200).end('well');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = new URL(`https://localhost:${(server.address() as AddressInfo).port}/mcp`);
});

beforeEach((context) => needsTools(context, 'openssl'));

afterAll(() => {
  if (missingTools('openssl') !== undefined) return;
  for (const session of sessions) session.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const post: HttpRequest = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{}'),
};

/** Sends and resolves with the outcome; `opened` resolves at the response's headers. */
function send(client: HttpClient, request: HttpRequest, signal: AbortSignal, path?: string) {
  const opened = Promise.withResolvers<void>();
  const sink: ResponseSink = { onHeaders: () => opened.resolve(), onData: () => undefined };
  const outcome = client.send(request, sink, signal, path === undefined ? {} : { path });
  return { outcome, opened: opened.promise };
}

test('SE1 requests share one HTTP/2 connection where the service offers it, and streams that stay open have another', async () => {
  const client = new HttpClient(origin, {}, settings);
  const stop = new AbortController();
  const stream = send(client, { method: 'GET', headers: {} }, stop.signal, '/open');
  await stream.opened;
  const before = sessions.length;
  await send(client, post, stop.signal).outcome;
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => send(client, post, stop.signal).outcome),
  );
  expect(outcomes.every(({ kind }) => kind === 'complete')).toBe(true);
  expect(sessions.length - before).toBe(1);
  expect(new Set(protocols)).toEqual(new Set(['GET 1.1', 'POST 2.0']));
  stop.abort();
  expect((await stream.outcome).kind).toBe('aborted');
  await client.destroy();
});

test('SE1 a GOAWAY does not hold back the requests after it while the stream that stays open lives', async () => {
  const client = new HttpClient(origin, {}, settings);
  const stop = new AbortController();
  const stream = send(client, { method: 'GET', headers: {} }, stop.signal, '/open');
  await stream.opened;
  await send(client, post, stop.signal).outcome;
  sessions.at(-1)?.goaway(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await send(client, post, stop.signal).outcome).kind).toBe('complete');
  stop.abort();
  await stream.outcome;
  await client.destroy();
});

test('RT1 a request behind a long one on a connection that was told to go away waits unsent, and a fresh one gets through', async () => {
  const client = new HttpClient(origin, {}, settings);
  const stop = new AbortController();
  const long = send(client, post, stop.signal, '/open');
  await long.opened;
  sessions.at(-1)?.goaway(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const patience = new AbortController();
  const queued = send(client, post, patience.signal);
  const sink: ResponseSink = { onHeaders: () => {}, onData: () => undefined };
  expect((await client.send(post, sink, stop.signal, { fresh: true })).kind).toBe('complete');
  patience.abort();
  const late = await queued.outcome;
  // Should undici send it one day, this test says that the second rule of ADR 4 is no longer needed.
  expect(late).toEqual({ kind: 'aborted', progress: 'not-sent' });
  expect((await send(client, post, stop.signal).outcome).kind).toBe('complete');
  stop.abort();
  await long.outcome;
  await client.destroy();
});
