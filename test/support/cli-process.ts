// A command of the command line, run as a person or a script runs it.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const launcher = resolve(import.meta.dirname, '../../bin/mcp-bridge.js');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of its own, gone at the end of the test. Short, because the path of a socket may not be long. */
export function useHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'mb-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

export class CliProcess {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();

  /** @param input what stdin holds */
  constructor(
    home: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
    input?: string,
  ) {
    this.#child = spawn(process.execPath, [launcher, ...argv], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home, MCP_BRIDGE_HOME: home, ...env },
    });
    this.#child.stdin?.on('error', () => {}).end(input);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const check of this.#watchers) check();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = new Promise((done) => this.#child.once('close', (code) => done(code)));
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.#ended;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once stdout holds this text. */
  says(text: string, timeoutMs?: number): Promise<void> {
    return this.until(() => this.stdout.includes(text), text, timeoutMs);
  }

  /** Resolves once the condition holds, which is looked at whenever something is said. */
  async until(holds: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
    if (holds()) return;
    const { promise, resolve: done, reject } = Promise.withResolvers<void>();
    const fail = (): void => reject(new Error(`Not said: ${what}\nbut ${this.stdout}${this.stderr}`));
    const timer = setTimeout(fail, timeoutMs);
    const check = (): void => {
      if (holds()) done();
    };
    this.#watchers.add(check);
    void this.#ended.then(fail);
    await promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(check);
    });
  }

  async end(): Promise<Outcome> {
    const code = await this.#ended;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

export function runCli(
  home: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return new CliProcess(home, argv, env).end();
}
