// The config file of an administrator: what it gives to everybody, and what it takes out of everybody's hands.
import { describe, expect, test } from 'vitest';
import { readLayers } from '../../src/config/layers.ts';
import { settingSources } from '../../src/config/sources.ts';
import { managedConfigFile, resolvePaths } from '../../src/platform/paths.ts';
import { refusal, resolve, type Given } from './resolving.ts';

const url = 'https://work.example/mcp';
const target = 'https://service.example/mcp';
const maxInFlight = (given: Given): number => resolve({ target, ...given }).settings.maxInFlight;
const flags = { 'max-in-flight': '1' };
const env = { MCP_BRIDGE_MAX_IN_FLIGHT: '2' };
const profile = { work: { url, maxInFlight: 3 } };
const user = { maxInFlight: 4 };
const managed = { maxInFlight: 5 };

describe('CF1 a setting comes from the first of six places', () => {
  const all: Given = { target: 'work', flags, env, file: { profiles: profile, ...user }, managed };
  test.each<[string, number, Given]>([
    ['flag', 1, all],
    ['environment', 2, { ...all, flags: {} }],
    ['profile', 3, { ...all, flags: {}, env: {} }],
    ['user config', 4, { ...all, flags: {}, env: {}, file: { profiles: { work: { url } }, ...user } }],
    ['managed config', 5, { target: 'work', file: { profiles: { work: { url } } }, managed }],
    ['default', 1024, { target: 'work', file: { profiles: { work: { url } } } }],
  ])('%s', (_place, expected, given) => {
    expect(maxInFlight(given)).toBe(expected);
  });

  test('a value that an administrator has locked wins over all', () => {
    expect(maxInFlight({ ...all, managed: { ...managed, locked: ['maxInFlight'] } })).toBe(5);
    expect(maxInFlight({ ...all, managed: { ...managed, locked: true } })).toBe(5);
    expect(maxInFlight({ ...all, managed: { ...managed, locked: [] } })).toBe(1);
    expect(maxInFlight({ ...all, managed: { ...managed, locked: false } })).toBe(1);
  });

  test("a profile is the administrator's where the user has none, and both together where both have one", () => {
    const ofAdministrator = {
      work: { url: 'https://managed.example/mcp', maxInFlight: 7, toolTimeoutMs: 700 },
    };
    const alone = resolve({ target: 'work', managed: { profiles: ofAdministrator } });
    expect([alone.profile.url.host, alone.settings.maxInFlight]).toEqual(['managed.example', 7]);
    const both = resolve({
      target: 'work',
      file: { profiles: { work: { maxInFlight: 3 } }, ...user },
      managed: { profiles: ofAdministrator, ...managed },
    });
    expect([both.profile.url.host, both.settings.maxInFlight, both.settings.toolTimeoutMs]).toEqual([
      'managed.example',
      3,
      700,
    ]);
  });

  test('a locked profile is what it is, whatever the user, a flag or the environment says', () => {
    const entry = { url: 'https://managed.example/mcp', headers: { 'x-team': 'env:TEAM' }, maxInFlight: 7 };
    const { profile: found, settings } = resolve({
      target: 'work',
      flags,
      headers: ['x-team=env:MINE', 'x-more=env:MINE'],
      env: { ...env, TEAM: 'a team', MINE: 'mine' },
      file: {
        profiles: { work: { url, headers: { 'x-own': 'env:MINE' }, maxInFlight: 3, toolTimeoutMs: 300 } },
      },
      managed: { profiles: { work: entry }, locked: ['profiles.work'] },
    });
    expect(found.url.host).toBe('managed.example');
    expect(found.headers).toEqual({ 'x-team': 'a team', 'x-more': 'mine' });
    expect([settings.maxInFlight, settings.toolTimeoutMs]).toEqual([7, 230_000]);
  });

  test('one key of a profile may be locked alone', () => {
    const entry = { url: 'https://managed.example/mcp', maxInFlight: 7 };
    const given: Given = {
      target: 'work',
      flags,
      file: { profiles: profile },
      managed: { profiles: { work: entry }, locked: ['profiles.work.url'] },
    };
    expect(resolve(given).profile.url.host).toBe('managed.example');
    expect(resolve(given).settings.maxInFlight).toBe(1);
  });

  test('each value is told with its place', () => {
    const places = { configFile: '/user.json', managedConfigFile: '/managed.json' };
    const layers = {
      ...readLayers({ configFile: '/none', managedConfigFile: '/none' }),
      places,
      user: { requestTimeoutMs: 500, profiles: { work: { url, toolTimeoutMs: 600 } } },
      managed: { idleTimeoutMs: 7000, lingerMs: 8 },
      locked: new Set(['lingerMs']),
    };
    const found = settingSources(layers, {
      flags: { 'connect-timeout-ms': '900' },
      env: { MCP_BRIDGE_LINGER_MS: '1', MCP_BRIDGE_LOG_LEVEL: 'debug' },
      profile: 'work',
    });
    const told = found
      .filter(({ origin }) => origin !== 'default')
      .map(({ name, value, origin, where, isLocked }) => [name, value, origin, where, isLocked]);
    expect(told).toEqual([
      ['requestTimeoutMs', 500, 'user', '/user.json', false],
      ['toolTimeoutMs', 600, 'profile', '/user.json', false],
      ['idleTimeoutMs', 7000, 'managed', '/managed.json', false],
      ['lingerMs', 8, 'managed', '/managed.json', true],
      ['connectTimeoutMs', 900, 'flag', '--connect-timeout-ms', false],
      ['logLevel', 'debug', 'variable', 'MCP_BRIDGE_LOG_LEVEL', false],
    ]);
  });
});

describe('CF1 the managed config file', () => {
  test('lies where only administrators write, and MCP_BRIDGE_HOME does not move it', () => {
    expect(managedConfigFile('linux', {})).toBe('/etc/mcp-bridge/config.json');
    expect(managedConfigFile('darwin', {})).toBe('/Library/Application Support/mcp-bridge/config.json');
    expect(managedConfigFile('win32', { ProgramData: 'D:\\Data' })).toBe('D:\\Data\\mcp-bridge\\config.json');
    expect(managedConfigFile('win32', {})).toBe('C:\\ProgramData\\mcp-bridge\\config.json');
    expect(resolvePaths({ MCP_BRIDGE_HOME: '/somewhere' }).managedConfigFile).toBe(
      managedConfigFile(process.platform, process.env),
    );
  });

  test.each<[string, string | object, string | RegExp]>([
    ['that is broken', '{\n"lingerMs": 0,\n}', /managed\.json is not valid JSON: .* at line 3 column 1/],
    ['with an unknown key', { linger: 0 }, /managed\.json has the unknown key "linger"/],
    ['with a value out of range', { lingerMs: -1 }, /"lingerMs" in .*managed\.json is -1, but it must be/],
    ['that locks what it does not set', { lingerMs: 0, locked: ['lingerMS'] }, 'Did you mean "lingerMs"?'],
    ['that locks nothing sensible', { locked: 'all' }, 'must be true, or a list'],
    [
      'that locks a profile that it does not have',
      { profiles: { work: { url } }, locked: ['profiles.wrok'] },
      'Did you mean "profiles.work"?',
    ],
  ])('%s stops the launch: what it locks must hold', (_what, content, message) => {
    expect(refusal({ target, managed: content })).toMatch(message);
  });

  test("the user's own file has no locks", () => {
    expect(refusal({ target, file: { maxInFlight: 4, locked: true } })).toContain('unknown key "locked"');
  });
});
