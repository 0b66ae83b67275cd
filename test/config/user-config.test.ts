// Writing the user's config file: what is added, what stays as it is, and what is not touched at all.
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, constantFrom, dictionary, jsonValue, pre, property, stringMatching } from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { editText } from '../../src/config/edit-text.ts';
import { removeProfile, writeChanges, writeProfile } from '../../src/config/user-config.ts';
import { resolveRun } from '../../src/config/resolve.ts';
import { refusalOf } from '../support/refusal-of.ts';

const url = 'https://work.example/mcp';

/** A config file with this text; none where it is undefined. */
function place(text?: string): { configFile: string; read(): string } {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-write-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const configFile = join(folder, 'mcp-bridge', 'config.json');
  if (text !== undefined) writeChanges({ configFile }, [{ path: ['logLevel'], value: 'info' }]);
  if (text !== undefined) writeFileSync(configFile, text);
  return { configFile, read: () => readFileSync(configFile, 'utf8') };
}

describe('CF3 a profile that is written', () => {
  test('makes a file of this user alone where there was none, and works', () => {
    const file = place();
    expect(writeProfile(file, 'work', { url, headers: { 'X-Key': 'env:KEY' } })).toBe('added');
    expect(statSync(file.configFile).mode & 0o777).toBe(0o600);
    const args = { target: 'work', flags: {}, headers: [] };
    const { profile } = resolveRun(args, { KEY: 'k' }, { ...file, managedConfigFile: '/no/such/file' });
    expect([profile.url.href, profile.headers]).toEqual([url, { 'x-key': 'k' }]);
    expect(file.read()).toBe(
      `{\n  "profiles": {\n    "work": {\n      "url": "${url}",\n      "headers": {\n        "X-Key": "env:KEY"\n      }\n    }\n  }\n}\n`,
    );
  });

  test('changes nothing, not even the time of the file, where it is there already', () => {
    const file = place(`{"profiles":{"work":{"url":"${url}"}}}`);
    const before = statSync(file.configFile).mtimeMs;
    expect(writeProfile(file, 'work', { url })).toBe('same');
    expect(statSync(file.configFile).mtimeMs).toBe(before);
  });

  test.each([
    ['four spaces', '{\n    "logLevel": "info"\n}\n', '\n    "profiles": {\n        "work": {'],
    ['tabs', '{\n\t"logLevel": "info"\n}', '\n\t"profiles": {\n\t\t"work": {'],
    ['CRLF', '{\r\n  "logLevel": "info"\r\n}\r\n', '\r\n  "profiles": {\r\n    "work": {'],
    ['a byte order mark', '\uFEFF{\n  "logLevel": "info"\n}\n', '\n  "profiles": {\n    "work": {'],
  ])('keeps to %s', (_what, text, part) => {
    const file = place(text);
    expect(writeProfile(file, 'work', { url })).toBe('added');
    const written = file.read();
    expect(written).toContain(part);
    expect(written.startsWith(text.slice(0, text.indexOf('info"') + 5))).toBe(true);
    expect(written.endsWith(text.slice(text.lastIndexOf('}')))).toBe(true);
    expect(/(?<!\r)\n/.test(written)).toBe(!text.includes('\r'));
  });

  test('keeps what the profile has beyond it, and a file that is written in a way of its own', () => {
    const text = `{ "profiles" : { "home":{"url":"https://home.example/"},\n "work" : {"toolTimeoutMs":120000, "url":"https://old.example/"} } }`;
    const file = place(text);
    expect(writeProfile(file, 'work', { url })).toBe('changed');
    expect(file.read()).toBe(text.replace('https://old.example/', url));
  });

  test('goes to where a link leads, and the link stays', () => {
    const file = place('{}');
    const target = `${file.configFile}.target`;
    writeFileSync(target, '{}', { mode: 0o644 });
    rmSync(file.configFile);
    symlinkSync(target, file.configFile);
    writeProfile(file, 'work', { url });
    expect(lstatSync(file.configFile).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toContain(url);
    expect(statSync(target).mode & 0o777).toBe(0o644);
  });

  test('can be taken out again', () => {
    const file = place(
      `{\n  "profiles": {\n    "work": { "url": "${url}" }\n  },\n  "logLevel": "info"\n}\n`,
    );
    expect(removeProfile(file, 'work')).toBe('changed');
    expect(removeProfile(file, 'work')).toBe('same');
    expect(JSON.parse(file.read())).toEqual({ profiles: {}, logLevel: 'info' });
  });
});

describe('CF3 a file is left alone', () => {
  test.each([
    ['that is not JSON', '{\n  "profiles": {,}\n}', 'line 2 column 16'],
    ['that is cut off', '{ "profiles": {', 'line 1 column 16'],
    ['that is no object', '[]', 'must be a JSON object'],
    ['with a key twice', `{"profiles":{},"profiles":{"a":{"url":"${url}"}}}`, 'a key twice'],
  ])('%s', (_what, text, message) => {
    const file = place(text);
    expect(refusalOf(() => writeProfile(file, 'work', { url }))).toContain(message);
    expect(file.read()).toBe(text);
  });

  test.each<[string, string, { url: string } & Record<string, unknown>, string]>([
    ['a name with a space', 'my work', { url }, 'cannot be the name of a profile'],
    ['a name that every object has', '__proto__', { url }, 'cannot be the name of a profile'],
    ['a URL that is none', 'work', { url: 'work' }, '"work" is not a URL'],
    ['a key that does not exist', 'work', { url, toolTimeout: 5 }, 'Did you mean "toolTimeoutMs"?'],
    ['a value out of range', 'work', { url, maxInFlight: 0 }, 'a whole number from 1 to 100000'],
    ['a secret in a header', 'work', { url, headers: { a: 'Bearer x' } }, 'NAME=env:VARIABLE'],
  ])('by %s', (_what, name, entry, message) => {
    const file = place('{}');
    expect(refusalOf(() => writeProfile(file, name, entry))).toContain(message);
    expect(file.read()).toBe('{}');
  });
});

test('CF3 every value but the one that is set stays what it was, in any file', () => {
  const key = stringMatching(/^[a-z]{1,6}$/);
  assert(
    property(
      dictionary(key, jsonValue({ maxDepth: 3 })),
      constantFrom(undefined, 2, '\t'),
      key,
      key,
      (given, indent, first, second) => {
        const before = JSON.stringify(given, undefined, indent);
        const object = JSON.parse(before) as Record<string, unknown>;
        pre(!(first in object) || isRecord(object[first]));
        const after = editText(before, [first, second], 'new');
        const inner = isRecord(object[first]) ? object[first] : {};
        expect(JSON.parse(after)).toEqual({ ...object, [first]: { ...inner, [second]: 'new' } });
      },
    ),
    { numRuns: 300 },
  );
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
