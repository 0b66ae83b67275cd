// `mcp-bridge config`, as a person types it.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../../../src/config/settings.ts';
import { runCli, useHome, type Outcome } from '../../support/cli-process.ts';

interface Place {
  readonly file: string;
  readonly run: (argv: readonly string[], env?: Record<string, string>) => Promise<Outcome>;
  readonly read: () => unknown;
}

function usePlace(text?: string): Place {
  const home = useHome();
  const file = join(home, 'config.json');
  if (text !== undefined) writeFileSync(file, text);
  return {
    file,
    run: (argv, env) => runCli(home, ['config', ...argv], env),
    read: () => JSON.parse(readFileSync(file, 'utf8')) as unknown,
  };
}

const FILE =
  '{\n  "toolTimeoutMs": 120000,\n  "profiles": { "work": { "url": "https://a.example/mcp?k=s3cr3t", "lingerMs": 5 } }\n}\n';

describe('CF1 mcp-bridge config list', () => {
  test('--origin tells of each setting where its value comes from', async () => {
    const { run, file } = usePlace(FILE);
    const { code, stdout } = await run(['list', '--origin', '--profile', 'work'], {
      MCP_BRIDGE_LOG_LEVEL: 'debug',
    });
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    for (const name of Object.keys(SETTINGS))
      expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
    const line = (name: string): string => lines.find((each) => each.startsWith(`${name} `)) ?? '';
    expect(line('toolTimeoutMs')).toMatch(new RegExp(`120000 +user config ${file}$`));
    expect(line('lingerMs')).toMatch(new RegExp(`5 +profile "work" in ${file}$`));
    expect(line('logLevel')).toMatch(/debug +variable MCP_BRIDGE_LOG_LEVEL$/);
    expect(line('requestTimeoutMs')).toMatch(/30000 +default$/);
    expect(line('profiles.work')).toMatch(new RegExp(`https://a\\.example/mcp +${file}$`));
    expect(stdout).not.toContain('s3cr3t');
  });

  test('--json is for programs', async () => {
    const { run, file } = usePlace(FILE);
    const { stdout } = await run(['list', '--json']);
    const { settings, profiles } = JSON.parse(stdout) as {
      settings: { name: string }[];
      profiles: unknown[];
    };
    expect(settings.map(({ name }) => name)).toEqual(Object.keys(SETTINGS));
    expect(settings.find(({ name }) => name === 'toolTimeoutMs')).toEqual({
      name: 'toolTimeoutMs',
      value: 120_000,
      origin: 'user',
      isLocked: false,
      where: file,
      takesEffect: 'at once',
    });
    expect(profiles).toEqual([
      { name: 'work', url: 'https://a.example/mcp', headers: [], where: file, isLocked: false },
    ]);
  });
});

test('CF1 mcp-bridge config shows no password of a proxy that a variable holds', async () => {
  const { run } = usePlace();
  const env = { MCP_BRIDGE_PROXY: 'http://jane:s3cr3t@p.example:3128' };
  for (const argv of [['list'], ['list', '--json'], ['get', 'proxy']]) {
    const { code, stdout } = await run(argv, env);
    expect(code).toBe(0);
    expect(stdout).toContain('http://…@p.example:3128');
    expect(stdout).not.toMatch(/s3cr3t|jane/);
  }
});

describe('CF1 mcp-bridge config set', () => {
  test('writes one value, keeps the rest, and get tells it', async () => {
    const { run, file, read } = usePlace(FILE);
    const { code, stdout } = await run(['set', 'maxInFlight', '7']);
    expect([code, stdout]).toEqual([
      0,
      `maxInFlight is set in ${file}. Bridges that are running take it up within seconds.\n`,
    ]);
    expect(readFileSync(file, 'utf8')).toBe(FILE.replace(' }\n}', ' },\n  "maxInFlight": 7\n}'));
    expect((await run(['get', 'maxInFlight'])).stdout).toBe('7\n');
    expect((await run(['unset', 'maxInFlight'])).stdout).toContain(`maxInFlight is out of ${file}`);
    expect(readFileSync(file, 'utf8')).toBe(FILE);
    expect(read()).toMatchObject({ toolTimeoutMs: 120_000 });
  });

  test('makes and takes out a profile, by either way to name its keys', async () => {
    const { run, file, read } = usePlace();
    await run(['set', 'url', 'https://b.example/mcp', '--profile', 'b.two']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await run(['set', 'profiles.b.two.toolTimeoutMs', '900']);
    await run(['set', 'headers.X-Key', 'env:KEY', '--profile', 'b.two']);
    expect(read()).toEqual({
      profiles: {
        'b.two': { url: 'https://b.example/mcp', toolTimeoutMs: 900, headers: { 'X-Key': 'env:KEY' } },
      },
    });
    expect((await run(['get', 'toolTimeoutMs', '--profile', 'b.two', '--origin'])).stdout).toBe(
      `900  profile "b.two" in ${file}\n`,
    );
    expect((await run(['get', 'profiles.b.two.url'])).stdout).toBe('https://b.example/mcp\n');
    expect((await run(['unset', 'profiles.b.two'])).code).toBe(0);
    expect(read()).toEqual({ profiles: {} });
  });

  test('CF5 says when it counts, and what goes before it', async () => {
    const { run } = usePlace();
    const { stdout } = await run(['set', 'connectTimeoutMs', '900'], {
      MCP_BRIDGE_CONNECT_TIMEOUT_MS: '500',
    });
    expect(stdout).toContain('It counts from the next launch on: restart the client.');
    expect(stdout).toContain('But 500 goes before it: variable MCP_BRIDGE_CONNECT_TIMEOUT_MS.');
  });

  test.each<[string, string[], RegExp]>([
    ['a value out of range', ['set', 'maxInFlight', '0'], /must be a whole number from 1 to 100000/],
    ['a setting that there is not', ['set', 'maxInflight', '5'], /Did you mean "maxInFlight"/],
    ['a key of a profile without one', ['set', 'url', 'https://a.example'], /name it with --profile/],
    ['a URL that is none', ['set', 'url', 'work', '--profile', 'work'], /"work" is not a URL/],
    [
      'a header with its value',
      ['set', 'headers.Authorization', 'Bearer s3cr3t', '--profile', 'work'],
      /NAME=env:VARIABLE/,
    ],
    ['a password', ['set', 'proxy', 'http://jane:s3cr3t@p.example'], /user name or password/],
    [
      'a name that no profile can have',
      ['set', 'url', 'https://a.example', '--profile', 'my work'],
      /cannot be the name of a profile/,
    ],
    ['the URL of a profile taken out', ['unset', 'url', '--profile', 'work'], /A profile needs its URL/],
    ['a whole profile as a value', ['set', 'profiles.work', 'x'], /no single value/],
    ['nothing to get', ['get', 'headers.X', '--profile', 'work'], /not set/],
  ])('refuses %s, and changes nothing', async (_what, argv, message) => {
    const { run, file } = usePlace(FILE);
    const { code, stderr } = await run(argv);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('s3cr3t');
    expect(readFileSync(file, 'utf8')).toBe(FILE);
  });

  test.each<[string, string[], RegExp]>([
    ['no action', [], /It is one of list, get, set, unset, path, edit/],
    ['an action that there is not', ['lst'], /Did you mean "list"/],
    ['too few words', ['set', 'maxInFlight'], /needs a key and a value/],
    ['too many', ['path', 'x'], /too many words behind `config path`/],
  ])('%s is a usage error', async (_what, argv, message) => {
    const { code, stderr } = await usePlace().run(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('CF3 never writes over a file that is broken', async () => {
    const broken = '{\n  "toolTimeoutMs": 5,\n}';
    const { run, file } = usePlace(broken);
    for (const argv of [['set', 'maxInFlight', '7'], ['unset', 'maxInFlight'], ['list']]) {
      const { code, stderr } = await run(argv);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/not valid JSON: .* at line 3 column 1/)]);
    }
    expect(readFileSync(file, 'utf8')).toBe(broken);
  });

  test('path names the files', async () => {
    const { run, file } = usePlace();
    expect((await run(['path'])).stdout).toBe(`${file}\n`);
    expect((await run(['path', '--managed'])).stdout).toMatch(/mcp-bridge.config\.json\n$/);
    expect(existsSync(file)).toBe(false);
  });
});

describe('CF3 mcp-bridge config edit', () => {
  /** An editor that replaces one text by another. */
  function useEditor(place: Place, from: string, to: string): Record<string, string> {
    const script = join(place.file, '..', 'my editor');
    mkdirSync(join(place.file, '..'), { recursive: true });
    writeFileSync(script, `#!/bin/sh\nsed -i 's/${from}/${to}/' "$2"\n`);
    chmodSync(script, 0o700);
    const link = join(place.file, '..', 'ed');
    writeFileSync(link, `#!/bin/sh\nexec "${script}" "$@"\n`);
    chmodSync(link, 0o700);
    return { EDITOR: `${link} --wait` };
  }

  test('takes over what was edited, where it is a config file', async () => {
    const place = usePlace(FILE);
    const { code, stdout } = await place.run(['edit'], useEditor(place, '120000', '130000'));
    expect([code, stdout]).toEqual([0, `${place.file} was changed.\n`]);
    expect(readFileSync(place.file, 'utf8')).toBe(FILE.replace('120000', '130000'));
    expect((await place.run(['edit'], useEditor(place, 'nothing', ''))).stdout).toBe(
      'Nothing was changed.\n',
    );
  });

  test.each([
    ['is no JSON', '120000', '120000,,', /line 2 column/],
    ['has a value out of range', '120000', '5', /must be a whole number from 100/],
    ['has an unknown key', 'toolTimeoutMs', 'toolTimeout', /Did you mean "toolTimeoutMs"/],
  ])('leaves the file as it was where the text %s, and keeps the text', async (_what, from, to, message) => {
    const place = usePlace(FILE);
    const { code, stderr } = await place.run(['edit'], useEditor(place, from, to));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(readFileSync(place.file, 'utf8')).toBe(FILE);
    const copy = /what you wrote is in (\S+)\.\n/.exec(stderr)?.[1] ?? '';
    expect(readFileSync(copy, 'utf8')).toBe(FILE.replace(from, to));
  });

  test('is how a broken file is put right', async () => {
    const place = usePlace('{"toolTimeoutMs": 500,}');
    await place.run(['edit'], useEditor(place, ',}', '}'));
    expect(place.read()).toEqual({ toolTimeoutMs: 500 });
  });
});
