import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

describe('CF2 the nearest name', () => {
  test.each([
    ['one letter too many', 'profiless', 'profiles'],
    ['one letter too few', 'rofiles', 'profiles'],
    ['one letter wrong', 'profilez', 'profiles'],
    ['two letters in the wrong order', 'porfiles', 'profiles'],
    ['other capitals', 'PROFILES', 'profiles'],
    ['a third of its letters wrong', 'prXXXles', undefined],
    ['nothing in common', 'colour', undefined],
    ['one letter, wrong', 'x', 'y'],
    ['nothing at all', '', 'y'],
  ])('is found by edits: %s', (_what, word, expected) => {
    expect(nearest(word, ['headers', 'profiles', 'y'])).toBe(expected);
  });

  test('is the nearest of several', () => {
    expect(nearest('maxBodyByte', ['maxLineBytes', 'maxBodyBytes', 'maxBodyByteX'])).toBe('maxBodyBytes');
  });

  test('is none where there are none', () => {
    expect(nearest('word', [])).toBeUndefined();
  });
});
