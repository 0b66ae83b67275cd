// A bridge that runs in its client's own process tells of itself here, because there is no daemon that could: a small file for
// as long as it lives, which `mcp-bridge status` reads.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export interface InProcessNote {
  readonly pid: number;
  readonly profile: string;
  /** Why there is no daemon behind it. */
  readonly reason: string;
  /** ISO 8601 */
  readonly since: string;
}

const MAX_NOTES = 200;

/** In the state folder, or where that cannot be written, which may be the very reason, among the temporary files. */
function places(stateDir: string): string[] {
  return [join(stateDir, 'in-process'), join(tmpdir(), `mcp-bridge-in-process-${userName()}`)];
}

/** @returns takes the note away; call it at the end. Never throws: where nothing can be written, there is no note. */
export function leaveNote(stateDir: string, note: InProcessNote): () => void {
  for (const folder of places(stateDir)) {
    const path = join(folder, `${note.pid}.json`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(path, JSON.stringify(note), { mode: 0o600 });
      return () => remove(path);
    } catch {
      // The next place.
    }
  }
  return () => {};
}

/** The notes of the bridges that live. Those of others are cleared away. */
export function readNotes(stateDir: string): InProcessNote[] {
  const notes: InProcessNote[] = [];
  for (const folder of places(stateDir)) {
    for (const name of list(folder)) {
      const path = join(folder, name);
      const note = read(path);
      if (note !== undefined && isAlive(note.pid)) notes.push(note);
      else remove(path);
    }
  }
  return notes;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+\.json$/.test(name))
      .slice(0, MAX_NOTES);
  } catch {
    return [];
  }
}

function read(path: string): InProcessNote | undefined {
  try {
    const note = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof InProcessNote, unknown>>;
    const { pid, profile, reason, since } = note;
    const isWhole =
      typeof pid === 'number' &&
      typeof profile === 'string' &&
      typeof reason === 'string' &&
      typeof since === 'string';
    return isWhole ? { pid, profile, reason, since } : undefined;
  } catch {
    return undefined;
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It belongs to somebody else, or the folder cannot be written: it does no harm.
  }
}

/** A process of that number exists. It may be another one by now; then the note is read once too often. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function userName(): string {
  try {
    return userInfo().username.replaceAll(/[^\w.-]/g, '_');
  } catch {
    return 'user';
  }
}
