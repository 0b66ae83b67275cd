// The config file and its profiles: what is taken from it, and how a mistake in it is reported.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError, resolveRun } from '../../src/config/resolve.ts';
import { resolvePaths } from '../../src/platform/paths.ts';
import { refusal, resolve } from './resolving.ts';

const url = 'https://work.example/mcp';

describe('CF2 a profile', () => {
  test('gives name, URL and headers', () => {
    const file = { profiles: { work: { url: `${url}?team=7#top`, headers: { 'X-Key': 'env:KEY' } } } };
    const { profile } = resolve({ target: 'work', file, env: { KEY: 'k' } });
    expect(profile).toEqual({
      name: 'work',
      url: new URL(`${url}?team=7`),
      headers: { 'x-key': 'k' },
    });
  });

  test('is called by its host where the service is given by URL', () => {
    expect(resolve({ target: 'https://a.example:8443/mcp' }).profile.name).toBe('a.example:8443');
  });

  test('that is not there is refused with the nearest that is', () => {
    const file = { profiles: { work: { url }, home: { url } } };
    expect(refusal({ target: 'wrk', file })).toMatch(/no profile "wrk".*Did you mean "work"\?/);
    expect(refusal({ target: 'something', file })).not.toContain('Did you mean');
  });

  test.each(['toString', '__proto__', 'constructor'])(
    'is not made of what every object has: %s',
    (target) => {
      expect(refusal({ target, file: { profiles: {} } })).toContain(`no profile "${target}"`);
    },
  );

  test.each([
    ['no URL', { work: {} }, 'no "url"'],
    ['a URL that is none', { work: { url: 'work.example' } }, '"work.example" is not a URL'],
    ['a URL that is no text', { work: { url: 5 } }, 'no "url"'],
    ['no object', { work: url }, 'must be a JSON object'],
    ['a list', { work: [] }, 'must be a JSON object'],
    [
      'headers that are no object',
      { work: { url, headers: ['a'] } },
      '"headers" of profile "work" must be a JSON object',
    ],
    [
      'a header whose value stands there',
      { work: { url, headers: { authorization: 'Bearer abc' } } },
      'NAME=env:VARIABLE',
    ],
  ])('with %s is refused', (_what, profiles, message) => {
    expect(refusal({ target: 'work', file: { profiles } })).toContain(message);
  });

  test('whose header holds the value itself is refused without repeating it', () => {
    const profiles = { work: { url, headers: { authorization: 'Bearer secret-token' } } };
    expect(refusal({ target: 'work', file: { profiles } })).not.toContain('secret-token');
  });
});

describe('CF2 an unknown key', () => {
  test.each([
    ['requestTimeoutMS', 'requestTimeoutMs'],
    ['request-timeout-ms', 'requestTimeoutMs'],
    ['maxInflight', 'maxInFlight'],
    ['profile', 'profiles'],
    ['loglevel', 'logLevel'],
  ])('%s is named, with %s', (key, nearest) => {
    expect(refusal({ file: { [key]: 1 } })).toMatch(
      new RegExp(`config\\.json has the unknown key "${key}"\\. Did you mean "${nearest}"\\?`),
    );
  });

  test.each(['colour', '', '__proto__'])('"%s" that is like no other is named alone', (key) => {
    const message = refusal({ file: `{${JSON.stringify(key)}: 1}` });
    expect(message).toContain(`unknown key "${key}"`);
    expect(message).not.toContain('Did you mean');
  });

  test('of a profile is named with the profile', () => {
    const profiles = { work: { url, header: {} } };
    expect(refusal({ target: 'work', file: { profiles } })).toMatch(
      /profile "work" has the unknown key "header"\. Did you mean "headers"\?/,
    );
  });
});

describe('CF3 a config file', () => {
  test('that is not there is no mistake', () => {
    expect(resolve({}).profile.url.href).toBe('https://service.example/mcp');
  });

  test('may begin with a byte order mark', () => {
    expect(resolve({ file: '\uFEFF{"maxInFlight": 9}' }).settings.maxInFlight).toBe(9);
  });

  test.each([
    ['a comma too many', '{\n  "maxInFlight": 9,\n}', 3, 1],
    ['a comma too few', '{\n  "maxInFlight": 9\n  "logLevel": "info"\n}', 3, 3],
    ['a line break in a string', '{"logLevel": "in\nfo"}', 1, 17],
    ['something behind it', '{}\n}', 2, 1],
    ['an open string', '{\n "logLevel": "inf', 2, 18],
  ])('with %s is reported with line and column', (_what, file, line, column) => {
    const message = refusal({ file });
    expect(message).toMatch(/config\.json is not valid JSON/);
    expect(message).toContain(`line ${line} column ${column}`);
    expect(message).toContain('not changed');
  });

  test.each([
    ['nothing in it', '', 1, 1],
    ['its end missing', '{\n  "maxInFlight":', 2, 17],
    ['a word for a value', '{\n  "maxInFlight": nine\n}', 2, 18],
    ['a comment', '// mine\n{}', 1, 1],
    ['a literal cut short', '{"allowHttp": tru}', 1, 15],
  ])('with %s is reported with line and column', (_what, file, line, column) => {
    expect(refusal({ file })).toContain(`line ${line} column ${column}`);
  });

  test.each(['[]', 'null', '"text"', '7'])('that is %s is refused', (file) => {
    expect(refusal({ file })).toMatch(/config\.json must be a JSON object/);
  });

  test('whose profiles are no object is refused', () => {
    expect(refusal({ file: { profiles: [] } })).toMatch(/"profiles" in .*config\.json must be a JSON object/);
  });

  test('that cannot be read is refused with the reason', () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcp-bridge-config-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const places = { configFile: directory, managedConfigFile: join(directory, 'none.json') };
    const attempt = (): unknown => resolveRun({ target: url, flags: {}, headers: [] }, {}, places);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/cannot be read \(EISDIR\)/);
  });

  test('lies under MCP_BRIDGE_HOME where that is set, and in a place of its own otherwise', () => {
    expect(resolvePaths({ MCP_BRIDGE_HOME: '/somewhere' }).configFile).toBe(
      join('/somewhere', 'config.json'),
    );
    for (const env of [{}, { MCP_BRIDGE_HOME: '' }]) {
      const { configFile } = resolvePaths(env);
      expect(configFile).toMatch(/mcp-bridge/);
      expect(configFile).toMatch(/config\.json$/);
    }
  });
});
