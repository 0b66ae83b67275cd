// `npm run service`: a hosted service to try the bridge on, until Ctrl-C. It prints what to put into the client's
// configuration, and then what happens.
import { resolve } from 'node:path';
import type { AuthorizationServer } from './authorization-server.ts';
import { BearerCheck } from './bearer-check.ts';
import { startNotesService, type NotesService } from './notes-service.ts';
import { NotesError, NotesStore } from './notes-store.ts';
import { Screen } from './screen.ts';
import { parseServiceOptions, usage, UsageError, type ServiceOptions } from './service-options.ts';
import type { ServiceEvent } from './service-sessions.ts';

const bin = resolve(import.meta.dirname, '../bin/mcp-bridge.js');
const screen = new Screen(process.stdout);

const configFiles: Partial<Record<NodeJS.Platform, string>> = {
  darwin: '~/Library/Application Support/Claude/claude_desktop_config.json',
  win32: String.raw`%APPDATA%\Claude\claude_desktop_config.json`,
  linux: '~/.config/Claude/claude_desktop_config.json',
};

async function main(): Promise<void> {
  const options = parseServiceOptions(process.argv.slice(2));
  if (options === 'help') return void process.stdout.write(usage);
  const store = await NotesStore.open(options.notesFile);
  const { port, handshakeMs } = options;
  let service: NotesService;
  let authorization: AuthorizationServer | undefined;
  try {
    if (options.auth) authorization = await startAuthorization(options);
    const bearerCheck = authorization && { bearerCheck: new BearerCheck({ authorization }) };
    service = await startNotesService({ store, port, handshakeMs, onEvent: printEvent, ...bearerCheck });
  } catch (error) {
    await authorization?.close();
    await store.close();
    throw error;
  }
  introduce(service, options, store.size);
  if (authorization !== undefined) introduceSignIn(service, authorization);
  screen.line('Ctrl-C ends the service.\n');
  endOnSignal(async () => {
    await service.close();
    await authorization?.close();
    await store.close();
  });
}

function introduce(service: NotesService, { handshakeMs, notesFile }: ServiceOptions, notes: number): void {
  const entry = { command: process.execPath, args: [bin, 'run', service.url] };
  screen.heading('A hosted notes service, on this machine');
  screen.field('URL', service.url);
  screen.field('notes', `${notesFile} (${notes === 1 ? '1 note' : `${notes} notes`})`);
  screen.field('handshake', handshakeMs === 0 ? 'at once' : `takes ${handshakeMs} ms`);
  screen.line('\nTo use it from Claude Desktop, put this into its configuration and start it again:');
  screen.line(`${screen.paint('dim', configFiles[process.platform] ?? 'claude_desktop_config.json')}\n`);
  screen.line(JSON.stringify({ mcpServers: { notes: entry } }, null, 2));
  screen.line(
    '\nThen ask: "Add a note that the bicycle needs a new chain" or "What do my notes say about bread?"',
  );
}

/** On the port after the service's, so that it has the same name each time, and knows who has signed in before. */
async function startAuthorization({
  port,
  accessTokenSeconds,
  notesFile,
}: ServiceOptions): Promise<AuthorizationServer> {
  const { startAuthorizationServer } = await import('./authorization-server.ts');
  const file = `${notesFile}.sign-ins`;
  return startAuthorizationServer({ port: port === 0 ? 0 : port + 1, accessTokenSeconds, file });
}

function introduceSignIn(service: NotesService, { issuer }: AuthorizationServer): void {
  screen.line('\nIt wants you to sign in, under any name:');
  screen.line(`${process.execPath} ${bin} login ${service.url}`);
  screen.line('');
  screen.field('signs in at', issuer);
}

function endOnSignal(close: () => Promise<void>): void {
  let ending = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // One Ctrl-C may come twice: from the terminal, and from the process that started this one.
      if (ending) return;
      ending = true;
      void close().then(() => screen.line('\nThe service has ended; the notes are in their file.'));
    });
  }
}

function printEvent(event: ServiceEvent): void {
  screen.line(`${screen.paint('dim', new Date().toLocaleTimeString('en-GB'))}  ${describe(event)}`);
}

function describe(event: ServiceEvent): string {
  switch (event.type) {
    case 'session-opened':
      return `session opened by ${printable(event.client)} (${event.sessions} open)`;
    case 'session-closed':
      return `session closed: ${event.reason} (${event.sessions} open)`;
    case 'tool-called':
      return `called: ${printable(event.tool)}`;
    case 'tool-abandoned':
      return `given up by its client: ${event.tool}`;
  }
}

/** Names come from the other side; what they hold must not steer this terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 60);
}

try {
  await main();
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage}`);
  else if (error instanceof NotesError) process.stderr.write(`${error.message}\n`);
  else if (code === 'EADDRINUSE')
    process.stderr.write('That port is taken. Choose another one with --port.\n');
  else if (code === 'EACCES')
    process.stderr.write('That port needs rights that you do not have. Choose one above 1023.\n');
  else throw error;
}
