// The daemon's local interface without a daemon: the real folds, fed with events of the test's choice, on a real socket.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Observatory } from '../../src/observe/observatory.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../../src/platform/paths.ts';

export interface ControlServer {
  readonly observatory: Observatory;
  /** What was asked, as in `POST /shutdown`. */
  readonly asked: string[];
  /** Instead of the daemon's own answer to a path. */
  readonly answers: Map<string, { readonly status: number; readonly body: string }>;
  close(): Promise<void>;
}

/** Listens where the program looks for the daemon of this home. */
export async function startControlServer(home: string, clock: Clock = systemClock): Promise<ControlServer> {
  const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
  const secret = 'the-secret-of-this-test';
  mkdirSync(dirname(daemonSecretFile(paths)), { recursive: true, mode: 0o700 });
  writeFileSync(daemonSecretFile(paths), `${secret}\n`, { mode: 0o600 });
  const observatory = new Observatory({
    clock,
    mode: 'daemon',
    version: '9.9.9',
    logLevel: 'debug',
    stateDir: paths.stateDir,
  });
  const asked: string[] = [];
  const answers: ControlServer['answers'] = new Map();
  const respond = (req: IncomingMessage, res: ServerResponse): void => {
    const what = `${req.method} ${req.url}`;
    asked.push(what);
    if (req.headers.authorization !== `Bearer ${secret}`) {
      res.writeHead(401).end();
      return;
    }
    const given = answers.get(what);
    if (given !== undefined) {
      res.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body);
      return;
    }
    switch (what) {
      case 'GET /status':
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(observatory.status()));
        return;
      case 'GET /metrics':
        res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(observatory.metricsText());
        return;
      case 'GET /events':
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        void observatory.streamEvents(res);
        return;
      case 'POST /shutdown':
        res.writeHead(200).end(JSON.stringify({ pid: process.pid, clients: 0 }), () => void close());
        return;
      default:
        res.writeHead(what.startsWith('POST /sessions/') ? 200 : 404).end();
    }
  };
  const server = createServer(respond);
  await new Promise<void>((resolve) => void server.listen(daemonSocket(paths), resolve));
  const close = (): Promise<void> => ended(server, daemonSocket(paths), observatory);
  return { observatory, asked, answers, close };
}

async function ended(server: Server, socket: string, observatory: Observatory): Promise<void> {
  rmSync(socket, { force: true });
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  await observatory.close();
}
