// A session bus of the test's own, and who keeps secrets on it: GNOME's keyring, nobody, or a hole that swallows every question.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { onTestFinished, type TestContext } from 'vitest';
import { needsTools } from './needs.ts';

/** Starts no services by itself, unlike the one that Debian ships. */
const BUS_CONFIG = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
const LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 20;

export class SecretService {
  /** For the processes that are to find it. */
  readonly env: NodeJS.ProcessEnv;
  readonly #dir: string;
  readonly #children: ChildProcess[] = [];
  #keyring: ChildProcess | undefined;

  private constructor(dir: string) {
    this.#dir = dir;
    const { PATH } = process.env;
    this.env = { PATH, HOME: join(dir, 'home'), XDG_RUNTIME_DIR: join(dir, 'run') };
  }

  /** A bus on which nobody keeps secrets yet. Skips the test where there can be none. */
  static async start(context: TestContext): Promise<SecretService> {
    needsTools(context, 'dbus-daemon', 'dbus-send', 'dbus-test-tool', 'gnome-keyring-daemon', 'secret-tool');
    const dir = mkdtempSync(join(tmpdir(), 'mcp-bridge-keyring-'));
    const service = new SecretService(dir);
    onTestFinished(() => service.#stop());
    for (const name of ['home', 'run']) {
      mkdirSync(join(dir, name));
      chmodSync(join(dir, name), 0o700);
    }
    const config = join(dir, 'bus.conf');
    writeFileSync(config, BUS_CONFIG);
    const bus = service.#spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(bus.stdout!, 'data', { signal: AbortSignal.timeout(LIMIT_MS) })) as [Buffer];
    service.env['DBUS_SESSION_BUS_ADDRESS'] = line.toString().trim();
    return service;
  }

  /** What of it the program under test needs beside its own environment. */
  get bus(): Record<string, string> {
    const { DBUS_SESSION_BUS_ADDRESS = '', XDG_RUNTIME_DIR = '' } = this.env;
    return { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR };
  }

  /** Starts the keyring anew; the first time it is made, with this password. */
  async openKeyring(): Promise<void> {
    await this.#startKeyring(['--unlock'], 'test password');
  }

  /** Starts it anew without the password. */
  async lockKeyring(): Promise<void> {
    await this.#startKeyring([], '');
  }

  async startBlackHole(): Promise<void> {
    this.#spawn('dbus-test-tool', ['black-hole', '--name=org.freedesktop.secrets'], { stdio: 'ignore' });
    await this.#untilOwned();
  }

  async #startKeyring(flags: string[], password: string): Promise<void> {
    if (this.#keyring !== undefined) {
      const gone = once(this.#keyring, 'exit');
      this.#keyring.kill();
      await gone;
    }
    const args = ['--foreground', '--components=secrets', ...flags];
    this.#keyring = this.#spawn('gnome-keyring-daemon', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#keyring.stdin!.on('error', () => {}).end(password);
    await this.#untilOwned();
  }

  #spawn(command: string, args: string[], options: Parameters<typeof spawn>[2]): ChildProcess {
    const child = spawn(command, args, { ...options, env: this.env });
    this.#children.push(child);
    return child;
  }

  /** Until somebody on the bus has the name of the service that keeps secrets. */
  async #untilOwned(): Promise<void> {
    const until = performance.now() + LIMIT_MS;
    for (;;) {
      const ask = this.#spawn(
        'dbus-send',
        [
          '--session',
          '--print-reply=literal',
          '--dest=org.freedesktop.DBus',
          '/org/freedesktop/DBus',
          'org.freedesktop.DBus.GetNameOwner',
          'string:org.freedesktop.secrets',
        ],
        { stdio: 'ignore' },
      );
      const [code] = (await once(ask, 'exit')) as [number | null];
      if (code === 0) return;
      if (performance.now() > until) throw new Error('nobody keeps secrets on the test bus');
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async #stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    if (existsSync(this.#dir)) rmSync(this.#dir, { recursive: true, force: true });
  }
}
