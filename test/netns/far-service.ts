// The test's hold on a service behind a link.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { join } from 'node:path';
import type { Link } from './link.ts';
import type { ServiceSight } from './service-process.ts';
import { fairMs } from '../support/fair-time.ts';

const program = join(import.meta.dirname, 'service-process.ts');

export class FarService implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, url: string) {
    this.#child = child;
    this.#lines = lines;
    this.url = url;
  }

  static async start(link: Link): Promise<FarService> {
    const [command, ...first] = link.program('service');
    const address = link.addressOf('service');
    const child = spawn(command, [...first, process.execPath, program, address], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const output: Interface = createInterface({ input: child.stdout });
    const lines = output[Symbol.asyncIterator]();
    const { value } = (await lines.next()) as { value?: string };
    if (value === undefined) throw new Error('The service ended before it listened.');
    const { port } = JSON.parse(value) as { port: number };
    return new FarService(child, lines, `http://${address}:${port}/mcp`);
  }

  /** What it has seen so far. It is asked through a pipe, so this works whatever the link does. */
  async look(): Promise<ServiceSight> {
    this.#child.stdin!.write('\n');
    const { value } = (await this.#lines.next()) as { value?: string };
    if (value === undefined) throw new Error('The service has ended.');
    return JSON.parse(value) as ServiceSight;
  }

  /** Resolves once it has run a tool with this key. */
  async untilRan(key: string, timeoutMs = 5000): Promise<void> {
    const from = performance.now();
    while (!((await this.look()).executions[key] ?? 0)) {
      if (fairMs(from) > timeoutMs) throw new Error(`${key} did not run within ${timeoutMs} ms.`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
