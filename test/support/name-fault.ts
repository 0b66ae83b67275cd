// A host name that stands for this machine, and that cannot be resolved for as long as a test wants so. Resolving goes
// through the operating system, which a test cannot change for one process; so the process under test is started with
// name-fault-preload.mjs, which answers for this one name where the system would have been asked.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const preload = pathToFileURL(resolve(import.meta.dirname, 'name-fault-preload.mjs')).href;

export class NameFault {
  /** Never exists outside (RFC 2606). */
  static readonly host = 'service.test';
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<NameFault> {
    return new NameFault(await mkdtemp(join(tmpdir(), 'mcp-bridge-name-')));
  }

  /** For the process under test. */
  get env(): Record<string, string> {
    return { NODE_OPTIONS: `--import=${preload}`, NAME_FAULT_FILE: this.#file };
  }

  /** The name cannot be resolved from now on. */
  fail(): Promise<void> {
    return writeFile(this.#file, '');
  }

  heal(): Promise<void> {
    return rm(this.#file, { force: true });
  }

  remove(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#directory, 'unresolvable');
  }
}
