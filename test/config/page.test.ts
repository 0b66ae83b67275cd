// docs/configuration.md, compared with the table of settings.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  SETTINGS,
  flagName,
  isLive,
  rangeOf,
  variableName,
  type SettingName,
  type SettingSpec,
} from '../../src/config/settings.ts';
import { resolve } from './resolving.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');

/** The cells of each row of the table of settings, without the marks of code. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `') && line.includes('`MCP_BRIDGE_'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );

function allowed(spec: SettingSpec): string {
  switch (spec.type) {
    case 'number':
      return `${spec.min} to ${spec.max}`;
    case 'choice':
      return spec.choices.join(', ');
    case 'switch':
      return 'true, false';
    case 'text':
      return rangeOf(spec);
  }
}

describe('CF2 docs/configuration.md', () => {
  test('lists exactly the settings that there are', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(SETTINGS));
  });

  test.each(Object.entries(SETTINGS) as [string, SettingSpec][])('tells of %s what is true', (name, spec) => {
    const [, preset, range, flag, variable, about, change] = rows.find(([each]) => each === name) ?? [];
    // A larger number is explained behind it, in brackets.
    expect(preset?.replace(/ \(.*\)$/, '')).toBe(spec.default === '' ? 'none' : String(spec.default));
    expect(range).toBe(allowed(spec));
    expect(flag).toBe(`--${flagName(name)}`);
    expect(variable).toBe(variableName(name));
    expect(about).toBe(spec.about);
    expect(change).toBe(isLive(name as SettingName) ? 'at once' : 'next launch');
  });

  test('shows a config file that works', () => {
    const [managed = '', file = ''] = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text);
    expect(resolve({ target: 'work', managed }).settings.proxy).toBe('http://proxy.example.com:3128');
    const { profile, settings } = resolve({ target: 'work', file, env: { WORK_TOKEN: 'Bearer x' } });
    expect(profile.url.href).toBe('https://mcp.example.com/mcp');
    expect(profile.headers).toEqual({ authorization: 'Bearer x' });
    expect(settings.toolTimeoutMs).toBe(120_000);
  });
});
