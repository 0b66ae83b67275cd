// What a bridge without a daemon leaves for `status` to read.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leaveNote, readNotes } from '../../src/platform/in-process-note.ts';

function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-note-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const note = { pid: process.pid, profile: 'work', reason: 'EROFS', since: '2026-01-01T00:00:00.000Z' };

test('FB5 a note is there as long as the bridge lives', () => {
  const folder = useFolder();
  const take = leaveNote(folder, note);
  expect(readNotes(folder)).toContainEqual(note);
  take();
  expect(readNotes(folder)).not.toContainEqual(note);
});

test('a note of a process that has gone, or that is broken, is cleared away', () => {
  const folder = useFolder();
  leaveNote(folder, { ...note, pid: 2 ** 30 });
  writeFileSync(join(folder, 'in-process', '1.json'), '{');
  expect(readNotes(folder).filter(({ profile }) => profile === 'work')).toEqual([]);
  expect(readdirSync(join(folder, 'in-process'))).toEqual([]);
});

test('FB5 where the state folder cannot be written, the note goes elsewhere', () => {
  const folder = useFolder();
  const blocked = join(folder, 'file');
  writeFileSync(blocked, '');
  const take = leaveNote(blocked, note);
  onTestFinished(take);
  expect(readNotes(blocked)).toContainEqual(note);
});
