// Two network namespaces and the one link between them, whose quality the test decides: delay, loss, silence, down. The
// link is a pair of TUN devices; the packets between them pass through this process, so that no kernel module for traffic
// control is needed. Nothing outside of the two namespaces is touched.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { missingTools } from '../support/needs.ts';

const tunScript = join(import.meta.dirname, 'tun.pl');
const device = 'wire0';
/** Addresses for documentation (RFC 5737); they exist in the two namespaces only. */
const addresses = { service: '192.0.2.1', bridge: '192.0.2.2' } as const;
type Side = keyof typeof addresses;
const namePattern = /^mcpb-(\d+)-\d+-(service|bridge)$/;
let count = 0;

/** Why there can be no namespaces here; undefined where they can be. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = missingTools('ip', 'perl');
  if (missing !== undefined) return missing;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return '/dev/net/tun cannot be opened';
  }
  const name = `mcpb-${process.pid}-0-service`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', name]);
  return made.status === 0 ? undefined : `\`ip netns add\` is refused: ${made.stderr.trim()}`;
}

export class Link implements AsyncDisposable {
  /** Each packet arrives so much later, in milliseconds. */
  delayMs = 0;
  /** The share of packets that is lost. */
  loss = 0;
  /** Every packet is lost, and nobody is told. */
  isSilent = false;
  /** Packets that were lost so far. */
  lost = 0;
  readonly #random: () => number;
  readonly #ends = new Map<Side, { namespace: string; tun: ChildProcessByStdio<Writable, Readable, null> }>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(random: () => number) {
    this.#random = random;
  }

  /** @param random decides which packets are lost */
  static async open(random: () => number): Promise<Link> {
    removeLeftOvers();
    const link = new Link(random);
    count += 1;
    const number = count;
    try {
      await link.#addEnd('service', number);
      await link.#addEnd('bridge', number);
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
    return link;
  }

  addressOf(side: Side): string {
    return addresses[side];
  }

  /** What runs a program on that side: a command and its first arguments. */
  program(side: Side): ['ip', ...string[]] {
    return ['ip', 'netns', 'exec', this.#end(side).namespace];
  }

  /** Takes the interface of that side down, as when a cable is pulled out of it. */
  down(side: Side): void {
    ip('-n', this.#end(side).namespace, 'link', 'set', device, 'down');
  }

  up(side: Side): void {
    ip('-n', this.#end(side).namespace, 'link', 'set', device, 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { namespace, tun } of this.#ends.values()) {
      if (tun.exitCode === null && tun.signalCode === null) {
        const gone = new Promise((resolve) => tun.once('exit', resolve));
        tun.kill('SIGKILL');
        await gone;
      }
      spawnSync('ip', ['netns', 'del', namespace]);
    }
    this.#ends.clear();
  }

  async #addEnd(side: Side, number: number): Promise<void> {
    const namespace = `mcpb-${process.pid}-${number}-${side}`;
    ip('netns', 'add', namespace);
    const tun = spawn('ip', ['netns', 'exec', namespace, 'perl', tunScript, device], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ends.set(side, { namespace, tun });
    tun.stdin.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      tun.once('error', reject);
      tun.once('exit', (code) => reject(new Error(`tun.pl ended with ${code}`)));
      readPackets(tun.stdout, (packet) => {
        if (packet.length === 0) resolve();
        else this.#carry(packet, side === 'service' ? 'bridge' : 'service');
      });
    });
    ip('-n', namespace, 'address', 'add', `${addresses[side]}/30`, 'dev', device);
    for (const each of ['lo', device]) ip('-n', namespace, 'link', 'set', each, 'up');
  }

  #carry(packet: Buffer, to: Side): void {
    if (this.isSilent || this.#random() < this.loss) {
      this.lost += 1;
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      this.#ends.get(to)?.tun.stdin.write(Buffer.concat([length, packet]));
    }, this.delayMs);
    this.#timers.add(timer);
  }

  #end(side: Side): { namespace: string } {
    const end = this.#ends.get(side);
    if (end === undefined) throw new Error(`The link has no ${side} side.`);
    return end;
  }
}

function readPackets(from: Readable, onPacket: (packet: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
      const end = 2 + rest.readUInt16BE();
      onPacket(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  });
}

function ip(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('ip', args, { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** Namespaces of test processes that were killed before they could clean up. */
function removeLeftOvers(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const name = line.split(' ', 1)[0]!;
    const pid = namePattern.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) spawnSync('ip', ['netns', 'del', name]);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
