// The notes file: what is taken into it, and whose it is.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NotesStore, notesLimits } from '../../demo/notes-store.ts';

let directory: string;
let file: string;
const blank = { text: '', tags: [] };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcp-bridge-test-'));
  file = join(directory, 'notes.json');
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('a full store takes no more until one is deleted', async () => {
  const note = { id: 'a', title: 't', ...blank, created: new Date(0).toISOString() };
  await writeFile(file, JSON.stringify({ version: 1, notes: Array(notesLimits.notes).fill(note) }));
  const store = await NotesStore.open(file);
  await expect(store.add({ title: 'one more', ...blank })).rejects.toThrow('Delete one first');
  await store.delete('a');
  await store.add({ title: 'one more', ...blank });
  await store.close();
});

test('a file of somebody else is left alone, and not held', async () => {
  await writeFile(file, '{"mine": true}');
  for (const _ of [1, 2]) await expect(NotesStore.open(file)).rejects.toThrow('is not a notes file');
  expect(await readFile(file, 'utf8')).toBe('{"mine": true}');
  expect(await readdir(directory)).toEqual(['notes.json']);
});

test('belongs to one store at a time, and holds all that was added when that is closed', async () => {
  const store = await NotesStore.open(file);
  await expect(NotesStore.open(file)).rejects.toThrow(`${file} is in use by process ${process.pid}`);
  const adding = ['one', 'two', 'three'].map((title) => store.add({ title, ...blank }));
  await store.close();
  await expect(store.add({ title: 'too late', ...blank })).rejects.toThrow('closed');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ version: 1, notes: await Promise.all(adding) });
  expect(await readdir(directory)).toEqual(['notes.json']);

  const next = await NotesStore.open(file);
  await store.close(); // A second time changes nothing for the next one.
  await expect(NotesStore.open(file)).rejects.toThrow('is in use');
  await next.close();
});

test('is taken over from a process that is gone, and from no other', async () => {
  const gone = spawnSync(process.execPath, ['--version']).pid;
  // Its own pid: the system gives them out again. Nothing: the power went while it was written.
  for (const content of [gone, process.pid, '']) {
    await writeFile(`${file}.lock`, String(content));
    await (await NotesStore.open(file)).close();
    expect(await readdir(directory)).toEqual([]);
  }
  await writeFile(`${file}.lock`, String(process.ppid));
  await expect(NotesStore.open(file)).rejects.toThrow(`is in use by process ${process.ppid}`);
  expect(await readFile(`${file}.lock`, 'utf8')).toBe(String(process.ppid));
});
