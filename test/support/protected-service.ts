// The demo's notes service behind a bearer check, with its authorisation server; gone at the end of the test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../demo/authorization-server.ts';
import { BearerCheck } from '../../demo/bearer-check.ts';
import { startNotesService, type NotesService } from '../../demo/notes-service.ts';
import { NotesStore } from '../../demo/notes-store.ts';

export interface ProtectedService {
  authorization: AuthorizationServer;
  service: NotesService;
  /** Counts the requests that had a good token, and those that had none. */
  check: BearerCheck;
}

interface Wants {
  /** What a token must have for the service. */
  readonly scopes?: readonly string[];
  /** Under which name the service is reached. */
  readonly origin?: string;
}

export async function useProtectedService(
  options: AuthorizationServerOptions = {},
  wants: Wants = {},
): Promise<ProtectedService> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const store = await NotesStore.open(join(directory, 'notes.json'));
  onTestFinished(() => store.close());
  const authorization = await startAuthorizationServer(options);
  onTestFinished(() => authorization.close());
  const check = new BearerCheck({ authorization, ...wants });
  const host = wants.origin === undefined ? undefined : new URL(wants.origin).hostname;
  const service = await startNotesService({ store, bearerCheck: check, host });
  onTestFinished(() => service.close());
  return { authorization, service, check };
}
