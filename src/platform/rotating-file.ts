// A file that lines are added to, and that is set aside when it is full: `name`, `name.1` (the newest of the old) to
// `name.4`. Several processes may write to one: lines are appended whole, and of those that find it full one sets it aside.

import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';

export interface RotatingFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** In bytes. */
  readonly maxBytes?: number;
  /** Of all, the one that is written to included. */
  readonly files?: number;
}

const FLUSH_MS = 50;
/** What may wait to be written, in characters. */
const MAX_WAITING = 1024 * 1024;
/** A lock this old was left behind by a process that has died, in milliseconds. */
const STALE_LOCK_MS = 10_000;
/** After a failure, how long nothing is tried, in milliseconds. */
const REST_MS = 5000;

export class RotatingFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #files: number;
  #waiting: string[] = [];
  #waitingLength = 0;
  #lost = 0;
  #isScheduled = false;
  #writing: Promise<void> = Promise.resolve();
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RotatingFileOptions) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 5 * 1024 * 1024;
    this.#files = options.files ?? 5;
  }

  /** Lines that were lost, because the disk was full, slow or not to be written. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes a line with its end; it is written soon. Never throws. */
  write(line: string): void {
    if (this.#waitingLength + line.length > MAX_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.after(FLUSH_MS, () => void this.flush());
  }

  /** Resolves when all that was taken is written, or lost. Never rejects. */
  flush(): Promise<void> {
    this.#isScheduled = false;
    this.#writing = this.#writing.then(() => this.#writeOut());
    return this.#writing;
  }

  async #writeOut(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    const text = lines.join('');
    this.#waiting = [];
    this.#waitingLength = 0;
    if (this.#clock.now() < this.#restUntil) {
      this.#lost += lines.length;
      return;
    }
    try {
      await this.#append(Buffer.from(text));
    } catch {
      // A full disk or a folder that cannot be written: the log is not worth more than the service.
      this.#lost += lines.length;
      this.#restUntil = this.#clock.now() + REST_MS;
    }
  }

  /** @throws where it cannot be written */
  async #append(bytes: Buffer): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    // Opened each time, because another process may have set it aside meanwhile.
    const file = await open(this.#path, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600);
    try {
      const { size } = await file.stat();
      if (size > 0 && size + bytes.length > this.#maxBytes && (await this.#setAside(bytes.length))) {
        await using fresh = await open(this.#path, 'a', 0o600);
        await fresh.appendFile(bytes);
        return;
      }
      // Where it cannot be set aside it grows, but not without end.
      if (size > 2 * this.#maxBytes) throw new Error('full');
      await file.appendFile(bytes);
    } finally {
      await file.close();
    }
  }

  /** True when the file has been set aside, by this process or another. */
  async #setAside(comingBytes: number): Promise<boolean> {
    const lock = `${this.#path}.lock`;
    if (!(await this.#lock(lock))) return false;
    try {
      // Looked at again under the lock: whoever held it before has made room.
      const { size } = await stat(this.#path);
      if (size + comingBytes <= this.#maxBytes) return true;
      for (let n = this.#files - 1; n >= 1; n -= 1) {
        const from = n === 1 ? this.#path : `${this.#path}.${n - 1}`;
        await rename(from, `${this.#path}.${n}`).catch(ignoreMissing);
      }
      return true;
    } catch {
      return false;
    } finally {
      await rm(lock, { force: true }).catch(() => {});
    }
  }

  async #lock(lock: string): Promise<boolean> {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return true;
    } catch {
      const taken = await stat(lock).catch(() => undefined);
      if (taken !== undefined && this.#clock.wallTime() - taken.mtimeMs > STALE_LOCK_MS)
        await rm(lock, { force: true });
      return false;
    }
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
