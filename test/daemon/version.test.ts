import { expect, test } from 'vitest';
import { isNewer } from '../../src/daemon/version.ts';

test.each([
  ['1.0.0', '0.9.9', true],
  ['0.10.0', '0.9.0', true],
  ['1.2.4', '1.2.3', true],
  ['1.2.3', '1.2.3', false],
  ['0.9.9', '1.0.0', false],
  ['nonsense', '1.0.0', false],
  ['1.0.0', 'nonsense', false],
])('DM5 %s is newer than %s: %s', (version, other, expected) => {
  expect(isNewer(version, other)).toBe(expected);
});
