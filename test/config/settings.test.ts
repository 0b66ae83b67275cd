// The table of settings, and the order in which the places that may set one are asked.
import { describe, expect, test } from 'vitest';
import {
  SETTINGS,
  flagName,
  parseSetting,
  rangeOf,
  variableName,
  type SettingName,
  type SettingSpec,
} from '../../src/config/settings.ts';
import { refusal, resolve } from './resolving.ts';

const rows = Object.entries(SETTINGS) as [SettingName, SettingSpec][];
const numbers = rows.filter(
  (row): row is [SettingName, SettingSpec & { type: 'number' }] => row[1].type === 'number',
);

/** Two values that the setting accepts and that are not its default. */
function othersOf(spec: SettingSpec): [string, string] {
  switch (spec.type) {
    case 'number':
      return [String(spec.default === spec.min ? spec.max : spec.min), String(spec.default + 1)];
    case 'choice': {
      const [one, two] = spec.choices.filter((choice) => choice !== spec.default);
      return [one as string, two as string];
    }
    case 'switch':
      return [String(!spec.default), spec.default ? '0' : '1'];
    case 'text':
      return spec.form === 'proxy' ? ['none', 'http://proxy.example:3128'] : ['/one.pem', '/two.pem'];
  }
}

describe('CF2 every setting', () => {
  test.each([
    ['requestTimeoutMs', 'request-timeout-ms', 'MCP_BRIDGE_REQUEST_TIMEOUT_MS'],
    ['maxInFlight', 'max-in-flight', 'MCP_BRIDGE_MAX_IN_FLIGHT'],
    ['allowHttp', 'allow-http', 'MCP_BRIDGE_ALLOW_HTTP'],
    ['logLevel', 'log-level', 'MCP_BRIDGE_LOG_LEVEL'],
  ])('%s is the flag --%s and the variable %s', (name, flag, variable) => {
    expect(Object.hasOwn(SETTINGS, name)).toBe(true);
    expect(flagName(name)).toBe(flag);
    expect(variableName(name)).toBe(variable);
  });

  test('has a flag and a variable of its own', () => {
    const names = Object.keys(SETTINGS);
    expect(new Set(names.map(flagName)).size).toBe(names.length);
    expect(new Set(names.map(variableName)).size).toBe(names.length);
  });

  test.each(rows)('%s has a default that it accepts, and says what it is for', (_name, spec) => {
    expect(parseSetting(spec, spec.default)).toBe(spec.default);
    expect(spec.about).toMatch(/^[A-Z].*\.$/);
  });

  test.each(numbers)('%s carries its unit in its name', (name, { unit }) => {
    const unitInName = { Ms: 'ms', Bytes: 'bytes' }[/(Ms|Bytes)$/.exec(name)?.[1] ?? ''] ?? 'count';
    expect(unitInName).toBe(unit);
  });

  test.each(rows)('%s is taken from each of its places, the nearest to the launch first', (name, spec) => {
    const [near, far] = othersOf(spec);
    const value = (given: Parameters<typeof resolve>[0]): unknown => resolve(given).settings[name];
    const nearValue = parseSetting(spec, near);
    const flags = { [flagName(name)]: near };
    const env = { [variableName(name)]: near };
    const farEnv = { [variableName(name)]: far };
    const profiles = (text: string): object => ({
      profiles: { work: { url: 'https://service.example/mcp', [name]: parseSetting(spec, text) } },
    });
    const top = (text: string): object => ({ [name]: parseSetting(spec, text) });

    expect(value({})).toBe(spec.default);
    expect(value({ file: top(near) })).toBe(nearValue);
    expect(value({ target: 'work', file: { ...profiles(near), ...top(far) } })).toBe(nearValue);
    expect(value({ target: 'work', env, file: { ...profiles(far), ...top(far) } })).toBe(nearValue);
    expect(value({ target: 'work', flags, env: farEnv, file: { ...profiles(far), ...top(far) } })).toBe(
      nearValue,
    );
  });

  test('of a profile counts for that profile alone', () => {
    const file = { profiles: { work: { url: 'https://work.example/mcp', maxInFlight: 7 } } };
    expect(resolve({ target: 'work', file }).settings.maxInFlight).toBe(7);
    expect(resolve({ file }).settings.maxInFlight).toBe(SETTINGS.maxInFlight.default);
  });
});

describe('CF2 a value that does not fit', () => {
  test.each(['', 'soon', '10s', '1e3', ' 5', '+5', '0x10', '5.0', true, null, [5], {}, Infinity, NaN])(
    'of a number is refused: %j',
    (value) => {
      for (const [, spec] of numbers) expect(parseSetting(spec, value)).toBeUndefined();
    },
  );

  test.each(numbers)('of %s is refused: past either end of its range, and broken numbers', (_name, spec) => {
    for (const value of [spec.min - 1, spec.max + 1, spec.min + 0.5]) {
      expect(parseSetting(spec, value)).toBeUndefined();
      expect(parseSetting(spec, String(value))).toBeUndefined();
    }
  });

  test.each(numbers)('of %s: the message names the setting, the value and the range', (name, spec) => {
    const range = `a whole number from ${spec.min} to ${spec.max}`;
    expect(rangeOf(spec)).toContain(range);
    const value = String(spec.max + 1);
    const messages = [
      [refusal({ flags: { [flagName(name)]: value } }), `--${flagName(name)}`],
      [refusal({ env: { [variableName(name)]: value } }), variableName(name)],
      [refusal({ file: { [name]: spec.max + 1 } }), `"${name}"`],
      [
        refusal({
          target: 'work',
          file: { profiles: { work: { url: 'https://a.example', [name]: spec.max + 1 } } },
        }),
        `"${name}" of the profile`,
      ],
    ] as const;
    for (const [message, place] of messages) {
      expect(message).toContain(place);
      expect(message).toContain(value);
      expect(message).toContain(range);
    }
  });

  test.each(numbers)('%s takes both ends of its range, as a number and as text', (_name, spec) => {
    for (const end of [spec.min, spec.max]) {
      expect(parseSetting(spec, end)).toBe(end);
      expect(parseSetting(spec, String(end))).toBe(end);
    }
  });

  test('of a choice: the message lists the choices', () => {
    expect(refusal({ flags: { 'log-level': 'loud' } })).toContain('silent, error, info, debug');
    expect(refusal({ file: { logLevel: 3 } })).toContain('silent, error, info, debug');
    expect(refusal({ env: { MCP_BRIDGE_LOG_LEVEL: 'loud' } })).toContain('silent, error, info, debug');
  });

  test.each([
    [true, true],
    ['true', true],
    ['1', true],
    [false, false],
    ['false', false],
    ['0', false],
    ['yes', undefined],
    ['TRUE', undefined],
    [1, undefined],
    [null, undefined],
  ])('of a switch: %j means %j', (given, expected) => {
    expect(parseSetting(SETTINGS.allowHttp, given)).toBe(expected);
  });

  test('of a switch: the message says what it takes', () => {
    expect(refusal({ env: { MCP_BRIDGE_ALLOW_HTTP: 'yes' } })).toMatch(
      /MCP_BRIDGE_ALLOW_HTTP.*true or false/,
    );
  });
});
