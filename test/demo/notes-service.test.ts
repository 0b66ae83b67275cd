// The demo's service by itself, over HTTP, with no bridge between: what it promises to those who try things out on it.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  type JSONRPCMessage,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startNotesService, type NotesService } from '../../demo/notes-service.ts';
import { NotesStore, notesLimits } from '../../demo/notes-store.ts';
import { fairMs } from '../support/fair-time.ts';

interface Found {
  total: number;
  notes: { id: string; title: string }[];
}

interface Connection {
  client: Client;
  transport: StreamableHTTPClientTransport;
  /** Every message that came, in order. */
  heard: JSONRPCMessage[];
}

let directory: string;
let file: string;
let store: NotesStore;
let service: NotesService;
/** What each test opened; closed last-in, first-out whatever the test did. */
let cleanups: (() => Promise<unknown>)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcp-bridge-test-'));
  file = join(directory, 'notes.json');
  cleanups = [() => rm(directory, { recursive: true, force: true })];
  await openStore();
  service = await start();
});

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup().catch(() => undefined);
});

async function openStore(): Promise<void> {
  const opened = await NotesStore.open(file);
  cleanups.push(() => opened.close());
  store = opened;
}

async function start(options: { port?: number; handshakeMs?: number } = {}): Promise<NotesService> {
  const started = await startNotesService({ store, ...options });
  cleanups.push(() => started.close());
  return started;
}

async function connect(url = service.url): Promise<Connection> {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  const heard: JSONRPCMessage[] = [];
  transport.onmessage = (message) => void heard.push(message);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  cleanups.push(() => client.close());
  return { client, transport, heard };
}

async function call<T>(client: Client, name: string, args: Record<string, unknown> = {}): Promise<T> {
  const result = await client.callTool({ name, arguments: args });
  expect(result.isError, JSON.stringify(result.content)).toBeFalsy();
  return result.structuredContent as T;
}

const addNote = (client: Client, title: string, text = '', tags: string[] = []) =>
  call<{ note: { id: string } }>(client, 'add_note', { title, text, tags });

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const accept = 'application/json, text/event-stream';
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: JSON.stringify(body),
  });
}

describe('notes', () => {
  test('are added, found by every word in any field, and deleted', async () => {
    const { client } = await connect();
    await addNote(client, 'Bread', 'flour, water, salt', ['kitchen']);
    const { note } = await addNote(client, 'Salt lake', 'a trip in May');
    await addNote(client, 'Bicycle', 'new chain');

    const salt = await call<Found>(client, 'search_notes', { query: 'SALT' });
    expect(salt.notes.map(({ title }) => title)).toEqual(['Salt lake', 'Bread']); // A title counts for more.
    expect((await call<Found>(client, 'search_notes', { query: 'kitchen salt' })).total).toBe(1);
    expect((await call<Found>(client, 'search_notes', { query: 'salt chain' })).total).toBe(0);

    expect(await call(client, 'delete_note', { id: note.id })).toEqual({ deleted: true });
    expect(await call(client, 'delete_note', { id: note.id })).toEqual({ deleted: false });
    const left = await call<Found>(client, 'list_notes');
    expect(left.notes.map(({ title }) => title)).toEqual(['Bicycle', 'Bread']);
  });

  test('outlive the service, and concurrent writers lose none', async () => {
    const { client } = await connect();
    const titles = Array.from({ length: 20 }, (_, i) => `note ${i}`);
    await Promise.all(titles.map((title) => addNote(client, title)));
    await service.close();
    await store.close();

    await openStore();
    service = await start();
    const { notes } = await call<Found>((await connect()).client, 'list_notes', { limit: 100 });
    expect(notes.map(({ title }) => title).sort()).toEqual([...titles].sort());
  });

  test('are listed, read and completed as resources, and a prompt quotes them', async () => {
    const { client } = await connect();
    const { note } = await addNote(client, 'Bread', 'flour, water', ['kitchen']);
    const uri = `notes://note/${note.id}`;
    expect((await client.listResources()).resources.map((each) => each.uri)).toEqual(['notes://index', uri]);
    const { contents } = await client.readResource({ uri });
    expect(contents[0]).toMatchObject({ uri, text: expect.stringContaining('flour, water') });
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'notes://note/{id}' },
      argument: { name: 'id', value: note.id.slice(0, 3) },
    });
    expect(completion.values).toEqual([note.id]);
    const { messages } = await client.getPrompt({ name: 'summarize_notes', arguments: { topic: 'kitchen' } });
    expect(messages[0]?.content).toMatchObject({ text: expect.stringContaining('flour, water') });
  });

  test('that somebody else adds are announced to every session', async () => {
    const [{ client: one }, { client: other }] = [await connect(), await connect()];
    const heard = vi.fn();
    one.setNotificationHandler(ResourceListChangedNotificationSchema, heard);
    // The client opens its GET stream behind `connect`, so the first changes may come before it.
    await vi.waitFor(async () => {
      await addNote(other, 'Bread');
      expect(heard).toHaveBeenCalled();
    });
  });

  test('are bounded: one that is too long is refused', async () => {
    const { client } = await connect();
    const args = { title: 'x'.repeat(notesLimits.titleChars + 1), text: '' };
    expect((await client.callTool({ name: 'add_note', arguments: args })).isError).toBe(true);
    expect((await call<Found>(client, 'list_notes')).total).toBe(0);
  });
});

describe('work', () => {
  test('reports progress while it runs, and stops when the call is cancelled', async () => {
    const { client, heard } = await connect();
    const onprogress = vi.fn(); // Not a witness: the SDK may drop the last one when the answer is close behind.
    const quick = { name: 'slow_report', arguments: { subject: 'bread', seconds: 0.1, steps: 4 } };
    expect((await client.callTool(quick, undefined, { onprogress })).structuredContent).toMatchObject({
      notes: 0,
    });
    const progress = heard.flatMap((each) => ('method' in each ? [each.params?.['progress']] : []));
    expect(progress).toEqual([1, 2, 3, 4]);
    expect(onprogress).toHaveBeenCalled();

    const abort = new AbortController();
    const long = { name: 'slow_report', arguments: { subject: 'bread', seconds: 60 } };
    const cancelled = client.callTool(long, undefined, { signal: abort.signal });
    await vi.waitFor(() => expect(service.counts.calls['slow_report']).toBe(2));
    abort.abort('enough');
    await expect(cancelled).rejects.toThrow('enough');
    await vi.waitFor(() => expect(service.counts.abandoned).toBe(1));
  });

  test('sends lines while it runs, and a large document whole', async () => {
    const { client } = await connect();
    const lines: unknown[] = [];
    client.setNotificationHandler(
      LoggingMessageNotificationSchema,
      ({ params }) => void lines.push(params.data),
    );
    await client.callTool({ name: 'stream_lines', arguments: { lines: 3, interval_ms: 5 } });
    expect(lines).toEqual(['line 1 of 3', 'line 2 of 3', 'line 3 of 3']);

    const { content, structuredContent } = await client.callTool({
      name: 'large_document',
      arguments: { kib: 300 },
    });
    const { text } = (content as { text: string }[])[0] ?? { text: '' };
    expect(text).toHaveLength(300 * 1024);
    expect(structuredContent).toEqual({
      bytes: text.length,
      sha256: createHash('sha256').update(text).digest('hex'),
    });
  });
});

describe('sessions', () => {
  test('begin with a handshake that takes as long as it is told, and end with DELETE', async () => {
    const slow = await start({ handshakeMs: 200 });
    const before = performance.now();
    const { client, transport } = await connect(slow.url);
    expect(performance.now() - before).toBeGreaterThanOrEqual(195); // Timers may fire a little early.
    expect(slow).toMatchObject({ sessions: 1, counts: { handshakes: 1, deletes: 0 } });

    const asked = performance.now();
    await client.ping();
    expect(fairMs(asked)).toBeLessThan(195); // The delay is the handshake's alone.

    const id = transport.sessionId ?? '';
    await transport.terminateSession();
    expect(slow).toMatchObject({ sessions: 0, counts: { deletes: 1 } });
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect((await post(slow.url, ping, { 'mcp-session-id': id })).status).toBe(404);
    expect((await post(slow.url, ping)).status).toBe(400);
  });

  test('make room for new ones when clients leave without ending theirs', async () => {
    for (let i = 0; i < 40; i += 1) {
      const params = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 't', version: '1' },
      };
      const response = await post(service.url, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
      expect(response.status).toBe(200);
      await response.text();
    }
    expect(service.sessions).toBe(32);
  });

  test('are refused to web pages of other hosts, and bad bodies are answered', async () => {
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize' };
    expect((await post(service.url, initialize, { origin: 'https://example.com' })).status).toBe(403);
    expect((await fetch(new URL('/', service.url))).status).toBe(404);
    const broken = await fetch(service.url, { method: 'POST', body: '{' });
    expect([broken.status, await broken.json()]).toMatchObject([400, { error: { code: -32700 } }]);
    expect((await post(service.url, 'x'.repeat(4_200_000))).status).toBe(413);
  });

  test('resume a stream that broke from the last event the client has seen', async () => {
    const { client, transport } = await connect();
    const headers = {
      'mcp-session-id': transport.sessionId ?? '',
      'mcp-protocol-version': '2025-11-25',
      accept: 'application/json, text/event-stream',
    };
    const params = { name: 'slow_report', arguments: { subject: 'bread', seconds: 0.2 } };
    const response = await post(
      service.url,
      { jsonrpc: '2.0', id: 'r1', method: 'tools/call', params },
      headers,
    );
    const reader = response.body?.getReader();
    const priming = new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    const eventId = /^id: (.+)$/m.exec(priming)?.[1] ?? '';
    await vi.waitFor(async () => {
      const resumed = await fetch(service.url, { headers: { ...headers, 'last-event-id': eventId } });
      const first = await resumed.body?.getReader().read();
      expect(new TextDecoder().decode(first?.value)).toContain('"id":"r1"');
    });
    await client.close();
  });
});

describe('faults', () => {
  test('forget every session', async () => {
    const { client } = await connect();
    await service.faults.forgetSessions();
    await expect(client.ping()).rejects.toThrow('Session not found');
    expect(service.counts.refused).toBe(1);
    await expect((await connect()).client.ping()).resolves.toBeDefined();
  });

  test('lose the answer of one write that was carried out', async () => {
    const { client, transport } = await connect();
    const headers = { 'mcp-session-id': transport.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' };
    const params = { name: 'add_note', arguments: { title: 'Once', text: '' } };
    service.faults.loseNextAnswer('add_note');
    const response = await post(
      service.url,
      { jsonrpc: '2.0', id: 7, method: 'tools/call', params },
      headers,
    );
    const reader = response.body?.getReader();
    const priming = new TextDecoder().decode((await reader?.read())?.value);
    const lastEventId = /^id: (.+)$/m.exec(priming)?.[1] ?? '';
    await expect(reader?.read()).rejects.toThrow('terminated');
    expect(service.counts.calls['add_note']).toBe(1);
    const resumed = await fetch(service.url, {
      headers: { ...headers, accept: 'text/event-stream', 'last-event-id': lastEventId },
    });
    expect([lastEventId, resumed.status]).toEqual([expect.stringMatching(/./), 400]);

    expect(await call(client, 'list_notes')).toMatchObject({ total: 1, notes: [{ title: 'Once' }] });
    await addNote(client, 'Twice'); // Only the next answer was to be lost.
    expect(service.counts.handshakes).toBe(1);
  });

  test('kill the service under a running call; another one takes its port and its notes', async () => {
    const { client } = await connect();
    await addNote(client, 'Bread');
    const running = client.callTool({ name: 'slow_report', arguments: { subject: 'bread', seconds: 60 } });
    const outcome = expect(running).rejects.toThrow();
    await vi.waitFor(() => expect(service.counts.calls['slow_report']).toBe(1));
    await service.faults.kill();
    await client.close();
    await outcome;
    expect(service.sessions).toBe(0);
    await expect(fetch(service.url)).rejects.toThrow();

    service = await start({ port: service.port });
    expect((await call<Found>((await connect()).client, 'list_notes')).total).toBe(1);
  });

  test('kill the service at a call that has come and is not begun', async () => {
    const { client } = await connect();
    const died = service.faults.killAtCall('add_note', 2);
    await addNote(client, 'Bread');
    await call(client, 'list_notes');
    await expect(addNote(client, 'Salt')).rejects.toThrow('fetch failed');
    await died;
    await client.close();

    service = await start({ port: service.port });
    const { notes } = await call<Found>((await connect()).client, 'list_notes');
    expect(notes.map(({ title }) => title)).toEqual(['Bread']);
  });
});
