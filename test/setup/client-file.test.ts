// A client's file, changed: a corpus of files as they are found on people's machines, and what is not touched at all.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { assert, property } from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { applyChanges, type Change, type JsonFile } from '../../src/config/json-changes.ts';
import { keepBackup } from '../../src/setup/backups.ts';
import { clientFile, entriesIn } from '../../src/setup/client-file.ts';
import { CLIENTS } from '../../src/setup/clients.ts';
import { jsonText } from '../protocol/arbitrary-json.ts';
import { insertionIn } from '../support/insertion.ts';
import { refusalOf } from '../support/refusal-of.ts';

const DESKTOP = CLIENTS['claude-desktop'];
const ENTRY = { command: '/opt/node', args: ['/opt/mcp-bridge.js', 'run', 'work'] };
const ADD: Change = { path: ['mcpServers', 'work'], value: ENTRY };
const corpus = join(import.meta.dirname, 'corpus');

interface Place {
  readonly path: string;
  readonly file: JsonFile;
  readonly read: () => string;
  readonly copies: () => string[];
}

function place(content?: string | Buffer, client = DESKTOP): Place {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'Claude', 'claude_desktop_config.json');
  const backups = join(folder, 'backups');
  if (content !== undefined) {
    mkdirSync(dirname(path));
    writeFileSync(path, content);
  }
  let now = 0;
  const keep = (file: string): void => {
    now += 1000;
    keepBackup(backups, file, { wallTime: () => now });
  };
  return {
    path,
    file: clientFile(path, client, { keep }),
    read: () => readFileSync(path, 'utf8'),
    copies: () => (existsSync(backups) ? readdirSync(backups).map((name) => join(backups, name)) : []),
  };
}

describe('SU2 a real file', () => {
  const files = readdirSync(corpus);
  test.each(files)('%s: the entry is added, all else stays, and taken out it is what it was', (name) => {
    const client = name.startsWith('vscode') ? CLIENTS.vscode : DESKTOP;
    const add = { ...ADD, path: [client.section, 'work'] };
    const raw = readFileSync(join(corpus, name));
    const before = raw.toString().replace('\uFEFF', '');
    const { file, path, read, copies } = place(raw, client);
    const hadSection = Object.hasOwn(file.read().values, client.section);

    expect(applyChanges(file, [add]).written).toMatch(/added|changed/);
    const after = read();
    expect(entriesIn(path, client)['work']).toEqual(ENTRY);
    // One piece is new, and every byte of the rest is as it was.
    expect(insertionIn(before, after)).toContain('/opt/mcp-bridge.js');
    const isMixed = before.includes('\n') && /(?<!\r)\n/.test(after) !== /(?<!\r)\n/.test(before);
    expect(isMixed).toBe(false);
    // The copy is the file as it was, byte for byte.
    expect(copies().map((copy) => readFileSync(copy))).toEqual([raw]);

    expect(applyChanges(file, [add]).written).toBe('same');
    applyChanges(file, [{ path: hadSection ? add.path : [client.section], value: undefined }]);
    // Where there was nothing but white space, it need not be the same.
    const essence = (text: string): string =>
      /^\s*$|\{\s*\}/.test(before) ? text.replaceAll(/\s/g, '') : text;
    expect(essence(read())).toBe(essence(before.trim() === '' ? '{}' : before));
  });
});

describe('SU2 a client’s file', () => {
  test('that is not there is made, with its directory, for this user alone', () => {
    const { file, path, copies, read } = place();
    expect(applyChanges(file, [ADD]).written).toBe('added');
    expect(JSON.parse(read())).toEqual({ mcpServers: { work: ENTRY } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(copies()).toEqual([]);
  });

  test('loses its byte order mark, which the app cannot read', () => {
    const { file, read } = place('\uFEFF{"a":1}');
    applyChanges(file, [ADD]);
    expect(read()).toMatch(/^\{"a":1,/);
  });

  test.each<[string, string | Buffer, string | RegExp]>([
    [
      'is no JSON',
      '{\n  "mcpServers": {,}\n}',
      /not valid JSON: .* at line 2 column 18\. It was not changed/,
    ],
    ['has a comma too many', '{\n  "a": 1,\n}', 'line 3 column 1'],
    ['has comments', '{\n  // mine\n}', 'line 2 column 3'],
    ['is cut off', '{"mcpServers": {"a"', 'line 1 column 20'],
    ['is a list', '[]', 'must be a JSON object'],
    ['has a list of servers that is none', '{"mcpServers": []}', '"mcpServers" in'],
    ['has the key twice', '{"mcpServers":{},"mcpServers":{"a":{}}}', 'a key twice'],
    ['is not in UTF-8', Buffer.from('{"a":"\u00e9"}', 'latin1'), 'not in UTF-8'],
  ])('that %s is refused and left alone', (_what, content, message) => {
    const { file, path, copies } = place(content);
    expect(refusalOf(() => applyChanges(file, [ADD]))).toMatch(message);
    expect(readFileSync(path)).toEqual(Buffer.from(content));
    expect(copies()).toEqual([]);
  });

  test('with comments is taken from VS Code, which writes them, and one that is broken is not', () => {
    const text = '{\n  // mine\n  "servers": {}, // none yet\n}\n';
    const { file, read } = place(text, CLIENTS.vscode);
    applyChanges(file, [{ ...ADD, path: ['servers', 'work'] }]);
    expect(read()).toMatch(
      /^\{\n {2}\/\/ mine\n {2}"servers": \{\n {4}"work": [^]*\n {2}\}, \/\/ none yet\n\}\n$/,
    );
    const broken = place('{\n  "servers": {{}\n}', CLIENTS.vscode);
    expect(refusalOf(() => applyChanges(broken.file, [ADD]))).toContain('line 2 column 15');
  });

  test('that is read-only is left alone', () => {
    const { file, path, read } = place('{}');
    chmodSync(path, 0o444);
    expect(refusalOf(() => applyChanges(file, [ADD]))).toContain('read-only');
    expect(read()).toBe('{}');
  });

  test('is found through links, which stay; one that leads nowhere is left alone', () => {
    const { file, path } = place('{}');
    const target = join(dirname(path), 'elsewhere.json');
    writeFileSync(target, '{"a":1}', { mode: 0o640 });
    rmSync(path);
    symlinkSync(target, path);
    applyChanges(file, [ADD]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toContain('"work"');
    expect(statSync(target).mode & 0o777).toBe(0o640);
    rmSync(target);
    expect(refusalOf(() => applyChanges(file, [ADD]))).toContain('leads nowhere');
  });

  test('that cannot be written is said so, and nothing is left beside it', () => {
    const { file, path } = place('{}');
    // A directory in the file's place cannot be replaced by one.
    rmSync(path);
    mkdirSync(path);
    expect(refusalOf(() => applyChanges(file, [ADD]))).toMatch(/cannot be read \(EISDIR\)/);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  });

  test('that another program writes at the same moment keeps what that one wrote', () => {
    const { file, path, read } = place('{"a":1}');
    let others = 0;
    const racing: JsonFile = {
      ...file,
      read() {
        const found = file.read();
        // After it was read, and before it is written.
        if (others < 2) writeFileSync(path, `{"a":1,"theirs":${++others}}`);
        return found;
      },
    };
    applyChanges(racing, [ADD]);
    expect(JSON.parse(read())).toEqual({ a: 1, theirs: 2, mcpServers: { work: ENTRY } });
  });
});

describe('SU2 copies', () => {
  test('carry the date, are for this user alone, and the last five stay', () => {
    const { file, path, copies } = place('{"n":0}');
    for (let n = 1; n <= 7; n += 1) applyChanges(file, [{ path: ['n'], value: n }]);
    const kept = copies().toSorted();
    expect(kept.map((copy) => (JSON.parse(readFileSync(copy, 'utf8')) as { n: number }).n)).toEqual([
      2, 3, 4, 5, 6,
    ]);
    expect(kept[0]).toMatch(/claude_desktop_config\.[\da-f]{8}\.1970-01-01T00-00-03\.000Z\.json$/);
    expect(statSync(kept[0] as string).mode & 0o777).toBe(0o600);
    expect(existsSync(path)).toBe(true);
  });

  test('where none can be kept, nothing is changed', () => {
    const { path, read } = place('{}');
    const file = clientFile(path, DESKTOP, {
      keep: (each) => void keepBackup(join(each, 'no'), each, { wallTime: () => 0 }),
    });
    expect(refusalOf(() => applyChanges(file, [ADD]))).toMatch(
      /No copy of .* \(ENOTDIR\), so the file was not changed/,
    );
    expect(read()).toBe('{}');
  });
});

test('SU2 any file: what is not ours comes out byte for byte as it went in', () => {
  const { file, path, read } = place('{}');
  const text = jsonText.filter((each) => {
    const value = JSON.parse(each) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !('mcpServers' in value);
  });
  assert(
    property(text, (before) => {
      writeFileSync(path, before);
      applyChanges(file, [ADD]);
      expect(insertionIn(before, read())).toContain('/opt/mcp-bridge.js');
    }),
    { numRuns: 50 },
  );
});
