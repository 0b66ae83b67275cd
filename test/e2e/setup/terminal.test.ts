// `mcp-bridge setup` on a terminal: what it asks, and the sign-in of a person who sits there. `script` makes the terminal.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BrowserStub } from '../../support/browser-stub.ts';
import { killDaemons } from '../../support/daemon-processes.ts';
import { needsTools } from '../../support/needs.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { browse } from '../../support/sign-in-browser.ts';
import { useService } from '../../support/use.ts';

const launcher = resolve(import.meta.dirname, '../../../bin/mcp-bridge.js');
const ENTER = '\r';

interface Session {
  /** Waits until the screen has shown this since the last such wait. */
  sees(text: string): Promise<void>;
  types(text: string): void;
  readonly ended: Promise<number | null>;
  readonly text: () => string;
  readonly desktop: string;
}

function useTerminal(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Session {
  const home = mkdtempSync(join(tmpdir(), 'mb-'));
  const command = [process.execPath, launcher, 'setup', ...argv].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty cols 160 rows 50; ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TERM: 'xterm',
      HOME: home,
      XDG_CONFIG_HOME: home,
      MCP_BRIDGE_HOME: home,
      MCP_BRIDGE_LINGER_MS: '0',
      ...env,
    },
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await killDaemons(home);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  let shown = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  return {
    async sees(text) {
      await expect.poll(() => shown.slice(seen), { timeout: 15_000 }).toContain(text);
      seen = shown.indexOf(text, seen) + text.length;
    },
    types: (text) => void child.stdin.write(text),
    ended: new Promise((done) => child.once('close', (code) => done(code))),
    text: () => shown.replaceAll(/\s+/g, ' '),
    desktop: join(home, 'Claude', 'claude_desktop_config.json'),
  };
}

beforeEach((context) => needsTools(context, 'script'));

describe('SU1 mcp-bridge setup on a terminal', () => {
  test('without arguments asks, with good defaults, and shows what it will write', async () => {
    const service = await useService();
    const { sees, types, ended, text, desktop } = useTerminal([]);
    await sees('The address of the service');
    types(`nonsense${ENTER}`);
    await sees('is not a URL');
    types(`\u0015${service.url}${ENTER}`);
    await sees('For which programs?');
    types(ENTER);
    await sees('A name for it');
    types(ENTER);
    await sees('Write ');
    expect(existsSync(desktop)).toBe(false);
    types(ENTER);
    expect(await ended).toBe(0);
    expect(text()).toContain('launched the entry as the client does');
    expect(JSON.parse(readFileSync(desktop, 'utf8'))).toMatchObject({
      mcpServers: { local: { command: process.execPath } },
    });
  });

  test('a no, or Ctrl-C, changes nothing', async () => {
    const service = await useService();
    const no = useTerminal([service.url]);
    await no.sees('Write ');
    no.types('n');
    expect(await no.ended).toBe(1);
    const left = useTerminal([]);
    await left.sees('The address of the service');
    left.types('\u0003');
    expect(await left.ended).toBe(1);
    for (const { text, desktop } of [no, left]) {
      expect(text()).toContain('Nothing was changed.');
      expect(existsSync(desktop)).toBe(false);
    }
  });

  test('signs in where the service asks for it, and proves that the entry works then', async () => {
    const { service } = await useProtectedService();
    const browser = new BrowserStub();
    const { sees, ended, text, desktop } = useTerminal(
      [service.url, '--yes', '--insecure-storage'],
      browser.env,
    );
    await sees('Opening the browser');
    await browse(await browser.next());
    expect(await ended).toBe(0);
    expect(text()).toContain('Signed in to');
    expect(text()).toMatch(/launched the entry as the client does: \d+ tools/);
    expect(readFileSync(desktop, 'utf8')).not.toMatch(/token|secret/i);
  });
});
