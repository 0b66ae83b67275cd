// The command line's way to the daemon, over real sockets.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Abort } from '../../src/platform/abort.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { ControlClient } from '../../src/platform/control-client.ts';
import { ResponseReader } from '../../src/platform/socket-http.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Place {
  readonly socketPath: string;
  readonly secretFile: string;
}

function usePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-ctl-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place = { socketPath: join(folder, 's'), secretFile: join(folder, 'secret') };
  writeFileSync(place.secretFile, 'abc\n');
  return place;
}

async function useHttp(place: Place, listener: RequestListener): Promise<void> {
  const server = createHttp(listener);
  await new Promise<void>((resolve) => void server.listen(place.socketPath, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => void server.close(() => resolve()));
  });
}

async function useRaw(place: Place, onSocket: (socket: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => void server.listen(place.socketPath, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => void server.close(() => resolve()));
  });
}

const client = (place: Place): ControlClient =>
  new ControlClient({ ...place, clock: systemClock, timeoutMs: 5000 });

describe('ST2 the control client', () => {
  test('sends the secret, and brings the JSON', async () => {
    const place = usePlace();
    const seen: unknown[] = [];
    await useHttp(place, (req, res) => {
      seen.push([req.method, req.url, req.headers.authorization]);
      res.end(JSON.stringify({ text: 'ä'.repeat(100_000) }));
    });
    const answer = await client(place).post('/shutdown');
    expect(answer).toEqual({ kind: 'answered', status: 200, body: { text: 'ä'.repeat(100_000) } });
    expect(seen).toEqual([['POST', '/shutdown', 'Bearer abc']]);
  });

  test('takes an answer without a body, and an error', async () => {
    const place = usePlace();
    await useHttp(place, (_req, res) => void res.writeHead(404).end());
    expect(await client(place).get('/x')).toEqual({ kind: 'answered', status: 404, body: undefined });
  });

  test('says that nothing runs where there is no socket, or one that nobody listens on', async () => {
    const place = usePlace();
    expect(await client(place).get('/status')).toEqual({ kind: 'not-running' });
    writeFileSync(place.socketPath, '');
    expect(await client(place).get('/status')).toEqual({ kind: 'not-running' });
  });

  test.each([401, 403])('says that it is refused where the daemon answers with %i', async (status) => {
    const place = usePlace();
    await useHttp(place, (_req, res) => void res.writeHead(status).end());
    const answer = await client(place).get('/status');
    expect(answer).toMatchObject({ kind: 'refused' });
    rmSync(place.secretFile);
    expect(await client(place).get('/status')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(`${place.secretFile} cannot be read`),
    });
  });

  test.each<[string, (socket: Socket) => void]>([
    ['closes at once', (socket) => void socket.end()],
    ['speaks something else', (socket) => void socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
    ['breaks off in the head', (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-')],
    [
      'breaks off in the body',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123'),
    ],
    ['never ends its head', (socket) => void socket.write('x'.repeat(100_000))],
    [
      'cuts its body up wrongly',
      (socket) =>
        void socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'z'.repeat(200)}`),
    ],
  ])('fails, and does not hang, where who is there %s', async (_what, act) => {
    const place = usePlace();
    await useRaw(place, act);
    expect(await client(place).get('/status')).toMatchObject({ kind: 'failed' });
  });

  test('gives up on silence', async () => {
    const place = usePlace();
    const clock = new FakeClock();
    const connected = Promise.withResolvers<void>();
    await useRaw(place, (socket) => void socket.once('data', () => connected.resolve()));
    const asked = new ControlClient({ ...place, clock, timeoutMs: 5000 }).get('/status');
    await connected.promise;
    await clock.advance(5000);
    expect(await asked).toMatchObject({ kind: 'failed', reason: expect.stringContaining('within 5 s') });
  });

  test('hands over events one by one until the reader leaves', async () => {
    const place = usePlace();
    await useHttp(place, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(': hello\n\nevent: a\ndata: {"n":1}\n\nevent: b\nda');
      setImmediate(() => res.write('ta: {"n":2}\n\n'));
    });
    const leaving = new Abort();
    const events: unknown[] = [];
    let opened = 0;
    const answer = await client(place).events(
      (event) => {
        events.push(event);
        if (events.length === 2) leaving.abort();
      },
      leaving,
      () => (opened += 1),
    );
    expect(events).toEqual([{ n: 1 }, { n: 2 }]);
    expect(opened).toBe(1);
    expect(answer).toMatchObject({ kind: 'answered', status: 200 });
  });
});

test('a response is read alike however it is cut', () => {
  const body = 'first and second';
  const responses = [
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nB;x=y\r\n and second\r\n0\r\n\r\n`,
    `HTTP/1.0 200 OK\r\nX: y\r\n\r\n${body}`,
  ];
  fc.assert(
    fc.property(fc.constantFrom(...responses), fc.array(fc.nat(120)), (response, cuts) => {
      let read = '';
      const reader = new ResponseReader((chunk) => (read += chunk.toString()));
      const at = [0, ...cuts.toSorted((a, b) => a - b), response.length];
      for (let i = 1; i < at.length; i += 1) reader.feed(Buffer.from(response.slice(at[i - 1], at[i])));
      expect([reader.status, read, reader.isDone || reader.endsWithConnection]).toEqual([200, body, true]);
    }),
  );
});
