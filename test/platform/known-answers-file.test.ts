// The file that holds the last known answers of a service.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { knownAnswersFile } from '../../src/platform/known-answers-file.ts';

function useDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => {
    chmodSync(dir, 0o700);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

const PARTS = ['https://service.example/mcp', 'authorization', '["2025-06-18",{},"claude-ai"]'];
const filesIn = (dir: string): string[] => readdirSync(join(dir, 'answers'));

describe('HS1 the file of known answers', () => {
  test('holds what was saved last, for the next run too', async () => {
    const dir = useDir();
    await knownAnswersFile(dir, PARTS).save('one');
    await knownAnswersFile(dir, PARTS).save('two, with é and "quotes"');
    expect(knownAnswersFile(dir, PARTS).load()).toBe('two, with é and "quotes"');
  });

  test('is one for each service, set of headers and kind of client', async () => {
    const dir = useDir();
    const all = [PARTS, [PARTS[0]!, PARTS[2]!], PARTS.toReversed(), ['a,b'], ['a', 'b'], ['a","b']];
    for (const [n, parts] of all.entries()) await knownAnswersFile(dir, parts).save(String(n));
    expect(all.map((parts) => knownAnswersFile(dir, parts).load())).toEqual(all.map((_, n) => String(n)));
  });

  test('has a name that tells nobody what it is about', async () => {
    const dir = useDir();
    await knownAnswersFile(dir, PARTS).save('x');
    expect(filesIn(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.json$/)]);
  });

  test.skipIf(process.platform === 'win32')('is for its owner’s eyes', async () => {
    const dir = useDir();
    await knownAnswersFile(dir, PARTS).save('x');
    const [name] = filesIn(dir);
    expect(statSync(join(dir, 'answers', name!)).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'answers')).mode & 0o777).toBe(0o700);
  });

  test('is whole at every moment, and leaves nothing else behind', async () => {
    const dir = useDir();
    const store = knownAnswersFile(dir, PARTS);
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(512 * 1024));
    await store.save(texts[0]!);
    const path = join(dir, 'answers', filesIn(dir)[0]!);
    const seen = new Set<string>();
    const state = { isSaving: true };
    const saving = Promise.all(texts.map((text) => store.save(text))).finally(() => (state.isSaving = false));
    while (state.isSaving) {
      seen.add(readFileSync(path, 'utf8'));
      await new Promise(setImmediate);
    }
    await saving;
    seen.add(readFileSync(path, 'utf8'));
    expect([...seen].filter((text) => !texts.includes(text))).toEqual([]);
    expect(filesIn(dir)).toHaveLength(1);
  });
});

describe('HS2 a cache that cannot be used', () => {
  test('is as good as an empty one', () => {
    expect(knownAnswersFile(join(useDir(), 'never', 'made'), PARTS).load()).toBeUndefined();
  });

  test('is no error where a file stands in its way', async () => {
    const dir = useDir();
    writeFileSync(join(dir, 'answers'), 'not a folder');
    const store = knownAnswersFile(dir, PARTS);
    await expect(store.save('x')).resolves.toBeUndefined();
    expect(store.load()).toBeUndefined();
  });

  test('is no error where the folder must not be written', async (context) => {
    if (process.platform === 'win32' || process.getuid?.() === 0)
      context.skip('needs a user whom file modes bind');
    const dir = useDir();
    chmodSync(dir, 0o500);
    const store = knownAnswersFile(dir, PARTS);
    await expect(store.save('x')).resolves.toBeUndefined();
    expect(store.load()).toBeUndefined();
  });
});
