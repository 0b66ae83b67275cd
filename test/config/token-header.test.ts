// The token from the environment.
import { expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-file.ts';
import { tokenHeader } from '../../src/config/headers.ts';

test.each([
  ['none', undefined, {}],
  ['an empty one', '', {}],
  ['the placeholder of a field that nobody filled in', '${user_config.token}', {}],
  ['a token', 'tok-1', { authorization: 'Bearer tok-1' }],
])('AU5 takes a fixed token from MCP_BRIDGE_TOKEN: %s', (_, token, headers) => {
  expect(tokenHeader(token === undefined ? {} : { MCP_BRIDGE_TOKEN: token })).toEqual(headers);
});

test('AU5 refuses what cannot be a token', () => {
  expect(() => tokenHeader({ MCP_BRIDGE_TOKEN: 'two words' })).toThrow(ConfigError);
});
