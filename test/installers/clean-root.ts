// A Debian of its own in a folder: nothing of this machine, no Node.js above all, and a user called tester. Seen from outside: what
// files it has, and what runs in it.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { missingTools } from '../support/needs.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What changes by itself, or by the work of dpkg. */
const VOLATILE = /^(proc|dev|sys|tmp|var\/(cache|log|lib\/dpkg))\//;

/** Why there can be none here; undefined where there can. */
export function whyNoCleanRoot(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'a clean Debian (amd64) needs Linux on x64';
  if (process.getuid?.() !== 0) return 'a clean Debian needs root';
  const missing = missingTools('debootstrap', 'dpkg-deb', 'busybox');
  if (missing !== undefined) return missing;
  const probe = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return probe.status === 0 ? undefined : 'a clean Debian needs the right to mount';
}

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export class CleanRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes it ready to run things in. */
  open(): void {
    // A temporary folder is its maker's alone, and this one is the root of others.
    chmodSync(this.path, 0o755);
    if (!existsSync(join(this.path, 'proc/self'))) {
      const mounted = spawnSync('mount', ['-t', 'proc', 'proc', join(this.path, 'proc')], {
        encoding: 'utf8',
      });
      if (mounted.status !== 0) throw new Error(`No /proc in the clean root: ${mounted.stderr}`);
    }
    if (!existsSync(join(this.path, 'home/tester'))) this.expectRun(['useradd', '--create-home', 'tester']);
  }

  close(): void {
    for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
    spawnSync('umount', ['--lazy', join(this.path, 'proc')]);
  }

  /** A command line that runs this in it, with nothing of this process's environment. */
  program(user: 'root' | 'tester', command: readonly string[]): [string, ...string[]] {
    const home = user === 'root' ? '/root' : '/home/tester';
    const env = ['/usr/bin/env', '-i', '-C', home, `HOME=${home}`, `PATH=${PATH}`, 'LANG=C.UTF-8'];
    return ['chroot', `--userspec=${user}:${user}`, this.path, ...env, ...command];
  }

  run(user: 'root' | 'tester', command: readonly string[]): Outcome {
    const [file, ...args] = this.program(user, command);
    const result = spawnSync(file, args, {
      encoding: 'utf8',
      timeout: 100_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { code: result.status, output: `${result.stdout}${result.stderr}` };
  }

  /** The same, while this process goes on: it may have to serve what is run. */
  async runBeside(user: 'root' | 'tester', command: readonly string[]): Promise<Outcome> {
    const [file, ...args] = this.program(user, command);
    const child = spawn(file, args, { timeout: 100_000, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number | null>((done) => child.once('close', done));
    return { code, output };
  }

  /** As root. @throws Error with what it printed, where it fails */
  expectRun(command: readonly string[]): string {
    const { code, output } = this.run('root', command);
    if (code !== 0) throw new Error(`\`${command.join(' ')}\` ended with ${String(code)}:\n${output}`);
    return output;
  }

  /** The path, from outside, of one inside. */
  at(path: string): string {
    return join(this.path, path);
  }

  /** Every file that does not change by itself. */
  files(): string[] {
    const { stdout } = spawnSync('find', [this.path, '-xdev', '-mindepth', '1', '-printf', '%P\n'], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout
      .split('\n')
      .filter((path) => path !== '' && !VOLATILE.test(path))
      .sort();
  }

  /** The processes in it. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/root`) === this.path;
        } catch {
          return false;
        }
      })
      .map(Number);
  }
}
