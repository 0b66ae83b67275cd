// `npm run service -- --auth` and `mcp-bridge login`, as a new user has them: signed in once, and everything works from then on,
// whatever is started again. And no secret is found where none should be.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { runCli } from '../../support/cli-process.ts';
import { daemonsLeave, daemonsOf } from '../../support/daemon-processes.ts';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { filesBelow } from '../../support/files.ts';
import { LoginProcess } from '../../support/login-process.ts';
import { SecretService } from '../../support/secret-service.ts';
import { expectBridgeError, useBridge } from '../../support/use.ts';

const serviceFile = resolve(import.meta.dirname, '../../../demo/service.ts');
const TOKEN_SECONDS = 4;

class DemoService {
  readonly #args: readonly string[];
  readonly url: string;
  /** Where the authorization server keeps what it has given out. */
  readonly given: string;
  #child: ChildProcess | undefined;

  constructor(port: number) {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-demo-'));
    onTestFinished(async () => {
      await this.end();
      rmSync(folder, { recursive: true, force: true });
    });
    const notes = join(folder, 'notes.json');
    this.#args = ['--port', `${port}`, '--notes', notes, '--auth', '--token-seconds', `${TOKEN_SECONDS}`];
    this.url = `http://127.0.0.1:${port}/mcp`;
    this.given = `${notes}.sign-ins`;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [serviceFile, ...this.#args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    let shown = '';
    child.stdout.on('data', (chunk) => (shown += String(chunk)));
    const isUp = (): void => {
      if (!shown.includes('Ctrl-C') || !shown.includes(`login ${this.url}`))
        throw new Error(`Not up: ${shown}`);
    };
    await vi.waitFor(isUp, 15_000);
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
}

/** A port that is free, and so is the one after it. */
async function freePort(): Promise<number> {
  for (;;) {
    const first = createServer().listen(0, '127.0.0.1');
    await once(first, 'listening');
    const { port } = first.address() as AddressInfo;
    const second = createServer().listen(port + 1, '127.0.0.1');
    const isFree = await Promise.race([
      once(second, 'listening').then(() => true),
      once(second, 'error').then(() => false),
    ]);
    first.close();
    second.close();
    if (isFree) return port;
  }
}

interface Keeping {
  readonly flags: readonly string[];
  readonly env: Record<string, string>;
  /** Files that may hold secrets. */
  readonly isSecretFile: (path: string) => boolean;
}

const keepings: readonly (readonly [string, (context: TestContext) => Promise<Keeping>])[] = [
  [
    'a file',
    async () => ({
      flags: ['--no-browser', '--insecure-storage'],
      env: {},
      isSecretFile: (path) => path.includes('/state/secrets/'),
    }),
  ],
  [
    'the keychain',
    async (context) => {
      const keyring = await SecretService.start(context);
      await keyring.openKeyring();
      return {
        flags: ['--no-browser'],
        env: keyring.bus,
        isSecretFile: () => false,
      };
    },
  ],
];

describe.each(keepings)('AU1 AU2 AU4 AU6 AU7 with the sign-in in %s', { timeout: 90_000 }, (_where, keep) => {
  test('signed in once, through restarts of everything, with no secret where none should be', async (context) => {
    const { flags, env, isSecretFile } = await keep(context);
    const service = new DemoService(await freePort());
    await service.start();
    const home = useDaemonHome();
    const outcome = await new LoginProcess(home.path, service.url, flags, env).visit();
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const launch = home.launch({ env: { ...env, MCP_BRIDGE_LOG_LEVEL: 'debug' } });
    const call = { timeoutMs: 20_000 };
    const expectServed = async (): Promise<void> => {
      const bridge = await useBridge(service.url, launch);
      await bridge.initialize();
      const reply = await bridge.callTool('search_notes', { query: 'x' }, call);
      expect(reply.error).toBeUndefined();
      expect(processesThatShow(home, secretsOf(service))).toEqual([]);
      await bridge.close();
    };
    await expectServed();

    // The background process.
    home.kill('SIGKILL');
    await home.until(() => daemonsOf(home.path).length === 0);
    await expectServed();

    // The service and its authorization server, under a bridge that runs, for longer than a token lasts.
    const bridge = await useBridge(service.url, launch);
    await bridge.initialize();
    await service.end();
    await service.start();
    await new Promise((done) => setTimeout(done, TOKEN_SECONDS * 1000));
    expect((await bridge.callTool('search_notes', { query: 'x' }, call)).error).toBeUndefined();
    await bridge.close();

    // All at once.
    await runCli(home.path, ['stop'], env);
    await daemonsLeave(home.path);
    await service.end();
    await service.start();
    await expectServed();

    const told = `${outcome.stdout}${outcome.stderr}${(await runCli(home.path, ['logs', '-n', '5000'], env)).stdout}`;
    const secrets = secretsOf(service);
    expect(secretsIn(told, secrets)).toEqual([]);
    expect(filesThatHold(home, secrets, isSecretFile)).toEqual([]);

    expect(await runCli(home.path, ['logout', service.url], env)).toMatchObject({ code: 0, stderr: '' });
    expect(filesThatHold(home, secrets, () => false)).toEqual([]);
    const last = await useBridge(service.url, launch);
    await last.initialize();
    expect(expectBridgeError(await last.callTool('search_notes', { query: 'x' }, call))).toBe(
      'ERR_AUTH_REQUIRED',
    );
  });
});

/** All that the authorization server has ever given out and still knows: the names under which it keeps it are the secrets. */
function secretsOf({ given }: DemoService): string[] {
  const { entries } = JSON.parse(readFileSync(given, 'utf8')) as { entries: [string, unknown][] };
  const names = entries.map(
    ([name]) => /^(RefreshToken|AccessToken|AuthorizationCode):(.+)$/.exec(name)?.[2],
  );
  const secrets = names.filter((name) => name !== undefined);
  expect(secrets.length).toBeGreaterThan(0);
  return secrets;
}

/** Access tokens are known by their look: the server keeps none of them. */
const JWT = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/;

function secretsIn(text: string, secrets: readonly string[]): string[] {
  return [...secrets.filter((secret) => text.includes(secret)), ...(JWT.exec(text) ?? [])];
}

function filesThatHold(
  home: DaemonHome,
  secrets: readonly string[],
  mayHold: (path: string) => boolean,
): string[] {
  const files = filesBelow(home.path);
  expect(files.some((path) => path.endsWith('mcp-bridge.log'))).toBe(true);
  return files.filter(
    (path) => !mayHold(path) && secretsIn(readFileSync(path, 'latin1'), secrets).length > 0,
  );
}

/** Of the bridge's processes: arguments, which every user can read, and environments. */
function processesThatShow(home: DaemonHome, secrets: readonly string[]): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const shown = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
      const isOurs = shown.some((text) => text.includes(`MCP_BRIDGE_HOME=${home.path}\0`));
      return isOurs && secretsIn(shown.join('\n'), secrets).length > 0;
    } catch {
      // It has gone.
      return false;
    }
  });
}
