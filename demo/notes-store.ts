// Owns the notes: what they are, the file they live in, and how they are searched. Knows nothing of MCP.
//
// The file is small by construction (`notesLimits`), so the store holds it in memory and writes it whole on every change.
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { FileLockedError, lockFile } from './file-lock.ts';

export const notesLimits = {
  notes: 1000,
  titleChars: 200,
  textChars: 16_384,
  tags: 10,
  tagChars: 40,
} as const;

export const noteSchema = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  tags: z.array(z.string()),
  /** ISO 8601, UTC. */
  created: z.string(),
});
export type Note = z.infer<typeof noteSchema>;
export type NewNote = Pick<Note, 'title' | 'text' | 'tags'>;

const fileSchema = z.object({ version: z.literal(1), notes: z.array(noteSchema).max(notesLimits.notes) });

/** The notes file cannot be used, or the store is full. The message says what to do. */
export class NotesError extends Error {
  override name = 'NotesError';
}

export class NotesStore {
  readonly file: string;
  #notes: Note[];
  /** Changes happen one after the other: two writers of one file would undo each other's work. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #unlock: () => Promise<void>;

  private constructor(file: string, notes: Note[], unlock: () => Promise<void>) {
    this.file = file;
    this.#notes = notes;
    this.#unlock = unlock;
  }

  /**
   * Takes `file` for itself until `close` and reads it; a missing one is an empty store. Throws `NotesError` for one
   * that this store did not write, and for one that another store has.
   */
  static async open(file: string): Promise<NotesStore> {
    const unlock = await lock(file);
    try {
      return new NotesStore(file, await readNotes(file), unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** Returns once the changes under way are on disk; the file is free then. Later changes are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
    await this.#unlock();
  }

  get size(): number {
    return this.#notes.length;
  }

  /** Newest first. */
  list(limit: number): Note[] {
    return this.#notes.slice(-limit).reverse();
  }

  get(id: string): Note | undefined {
    return this.#notes.find((note) => note.id === id);
  }

  /** Notes that hold every word of `query`, best first: a word in the title counts three times one in the text. */
  search(query: string, limit: number): { total: number; notes: Note[] } {
    const words = normalize(query).split(/\s+/).filter(Boolean);
    const found: { note: Note; score: number }[] = [];
    for (const note of words.length === 0 ? [] : this.list(notesLimits.notes)) {
      const score = scoreNote(note, words);
      if (score > 0) found.push({ note, score });
    }
    found.sort((a, b) => b.score - a.score); // Stable, so equals stay newest first.
    return { total: found.length, notes: found.slice(0, limit).map(({ note }) => note) };
  }

  /** Returns once the note is on disk. Throws `NotesError` when the store is full. */
  add(fields: NewNote): Promise<Note> {
    return this.#change((notes) => {
      if (notes.length >= notesLimits.notes) {
        throw new NotesError(
          `There is room for ${notesLimits.notes} notes and it is taken. Delete one first.`,
        );
      }
      const note: Note = { id: randomUUID().slice(0, 8), ...fields, created: new Date().toISOString() };
      return { notes: [...notes, note], result: note };
    });
  }

  /** Returns what was deleted, or undefined when there is no such note. */
  delete(id: string): Promise<Note | undefined> {
    return this.#change((notes) => {
      const result = notes.find((note) => note.id === id);
      return { notes: result ? notes.filter((note) => note !== result) : notes, result };
    });
  }

  async #change<T>(apply: (notes: Note[]) => { notes: Note[]; result: T }): Promise<T> {
    if (this.#closed) throw new NotesError('The notes file has been closed.');
    const done = this.#queue.then(async () => {
      const { notes, result } = apply(this.#notes);
      if (notes !== this.#notes)
        await writeAtomically(this.file, JSON.stringify({ version: 1, notes }, null, 2));
      this.#notes = notes; // Only now: memory never holds what the disk refused.
      return result;
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

async function lock(file: string): Promise<() => Promise<void>> {
  try {
    return await lockFile(file);
  } catch (error) {
    const { message } = error as Error;
    const isInUse = error instanceof FileLockedError;
    throw new NotesError(isInUse ? message : `The notes file ${file} cannot be used: ${message}`, {
      cause: error,
    });
  }
}

async function readNotes(file: string): Promise<Note[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new NotesError(`The notes file ${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return fileSchema.parse(JSON.parse(text)).notes;
  } catch (error) {
    // Left as it is: it may be somebody's work with one slip of the editor in it.
    throw new NotesError(`${file} is not a notes file of this service. Name another one, or move it away.`, {
      cause: error,
    });
  }
}

/** Writes beside `file`, then renames: a reader, or a power cut, finds the old content or the new, never half of it. */
async function writeAtomically(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function normalize(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** 0 when a word is missing. */
function scoreNote(note: Note, words: string[]): number {
  const title = normalize(note.title);
  const rest = normalize(`${note.tags.join(' ')}\n${note.text}`);
  let score = 0;
  for (const word of words) {
    const points = (title.includes(word) ? 3 : 0) + (rest.includes(word) ? 1 : 0);
    if (points === 0) return 0;
    score += points;
  }
  return score;
}
