// Signs in to the suite's server as a person would: `mcp-bridge login` prints an address, and a browser goes there. The suite's
// authorization servers ask nobody anything, so following the redirects is enough.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launch } from './launch.ts';

/** What a scenario gives to its client, where it gives anything. */
export interface ScenarioContext {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly private_key_pem?: string;
}

/** The document that the suite knows the client by, in scenarios about such documents. */
const CLIENT_DOCUMENT = 'https://conformance-test.local/client-metadata.json';

/** Resolves with the exit code of `login`. */
export async function signIn(
  { command, args, env }: Launch,
  url: string,
  context: ScenarioContext,
  isUnattended: boolean,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-key-'));
  const launcher = args[0] ?? '';
  const flags = isUnattended
    ? unattended(context, join(folder, 'key.pem'))
    : ['--no-browser', '--client-metadata-url', CLIENT_DOCUMENT, ...known(context)];
  const secret = context.client_secret;
  const child = spawn(command, [launcher, 'login', url, '--insecure-storage', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env, ...(secret !== undefined && { MCP_BRIDGE_CLIENT_SECRET: secret }) },
  });
  let text = '';
  const visited = new Set<string>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const [, address = ''] of text.matchAll(/^ {2}(http\S+)\n/gm)) {
      if (visited.has(address)) continue;
      visited.add(address);
      // What comes of it is told by `login`.
      void fetch(address).catch(() => {});
    }
  });
  const code = await new Promise<number>((done) => child.once('close', (each) => done(each ?? -1)));
  process.stderr.write(text);
  rmSync(folder, { recursive: true, force: true });
  return code;
}

function known({ client_id: id }: ScenarioContext): string[] {
  return id === undefined ? [] : ['--client-id', id];
}

function unattended(context: ScenarioContext, keyFile: string): string[] {
  const flags = ['--client-credentials', ...known(context)];
  if (context.private_key_pem === undefined) return flags;
  writeFileSync(keyFile, context.private_key_pem, { mode: 0o600 });
  return [...flags, '--private-key', keyFile];
}
