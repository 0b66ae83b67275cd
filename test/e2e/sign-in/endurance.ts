// Several bridges, each a process of its own, live on one sign-in whose tokens end all the time, and are called all the time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer } from '../../../demo/authorization-server.ts';
import { BearerCheck } from '../../../demo/bearer-check.ts';
import { startNotesService } from '../../../demo/notes-service.ts';
import { NotesStore } from '../../../demo/notes-store.ts';
import { BridgeProcess } from '../../support/bridge-process.ts';
import { LoginProcess } from '../../support/login-process.ts';

export interface EnduranceOptions {
  readonly processes: number;
  readonly tokenSeconds: number;
  readonly seconds: number;
}

export interface EnduranceFigures {
  readonly calls: number;
  /** Of calls: the codes of the bridge's errors. */
  readonly failures: readonly string[];
  readonly refreshes: number;
  readonly refusedRefreshes: number;
  /** How many asked for a new token at the same time, at most. */
  readonly refreshesAtOnce: number;
  /** Requests that the service refused for their token. */
  readonly refusedRequests: number;
  /** Sign-ins, and clients that were registered: one each. */
  readonly signIns: number;
  /** The longest that a call took, in milliseconds. */
  readonly slowestMs: number;
}

/** Within a test. */
export async function runEndurance({
  processes,
  tokenSeconds,
  seconds,
}: EnduranceOptions): Promise<EnduranceFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-endurance-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = await NotesStore.open(join(folder, 'notes.json'));
  cleanup.defer(() => store.close());
  const authorization = await startAuthorizationServer({ accessTokenSeconds: tokenSeconds });
  cleanup.defer(() => authorization.close());
  const check = new BearerCheck({ authorization });
  const service = await startNotesService({ store, bearerCheck: check });
  cleanup.defer(() => service.close());

  let asking = 0;
  let refreshesAtOnce = 0;
  authorization.intercept = (request, response) => {
    if (request.method !== 'POST' || request.url !== '/token') return false;
    asking += 1;
    refreshesAtOnce = Math.max(refreshesAtOnce, asking);
    response.once('close', () => (asking -= 1));
    return false;
  };
  const home = join(folder, 'home');
  const signedIn = await new LoginProcess(home, service.url).visit();
  if (signedIn.code !== 0) throw new Error(`login ended with ${signedIn.code}: ${signedIn.stderr}`);
  const { refused } = check;
  const until = performance.now() + seconds * 1000;
  const failures: string[] = [];
  let calls = 0;
  let slowestMs = 0;
  const live = async (): Promise<void> => {
    await using bridge = await BridgeProcess.launch(service.url, { home, env: { MCP_BRIDGE_DAEMON: 'off' } });
    await bridge.request('initialize', HELLO, LIMIT);
    bridge.notify('notifications/initialized');
    while (performance.now() < until) {
      const from = performance.now();
      const { error } = await bridge.callTool('search_notes', { query: 'x' }, LIMIT);
      calls += 1;
      slowestMs = Math.max(slowestMs, performance.now() - from);
      if (error !== undefined) failures.push((error.data as { code: string }).code);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: processes }, live));
  const { refreshes, refusedRefreshes, signIns } = authorization.counts;
  const refusedRequests = check.refused - refused;
  return {
    calls,
    failures,
    refreshes,
    refusedRefreshes,
    refreshesAtOnce,
    refusedRequests,
    signIns,
    slowestMs: Math.round(slowestMs),
  };
}

/** A refresh for each process, each time that a token nears its end; three fifths of a life is the soonest that one comes. */
export function mostRefreshes({ processes, tokenSeconds, seconds }: EnduranceOptions): number {
  return processes * (Math.ceil(seconds / (tokenSeconds * 0.6)) + 1);
}

const PAUSE_MS = 25;
const LIMIT = { timeoutMs: 30_000 };
const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'endurance', version: '1.0.0' },
};
