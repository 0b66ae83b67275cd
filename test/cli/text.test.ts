// Pieces of text: durations, numbers, lines that fit.
import { describe, expect, test } from 'vitest';
import { COLOUR, PLAIN, styleFor } from '../../src/cli/render/style.ts';
import { count, duration, fit, number, sparkline, took, wrap } from '../../src/cli/render/text.ts';

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;

test.each([
  [-5, '0 s'],
  [0, '0 s'],
  [59 * S, '59 s'],
  [60 * S, '1 min'],
  [61 * S, '1 min 1 s'],
  [10 * MIN + 5 * S, '10 min'],
  [H, '1 h'],
  [3 * H + 12 * MIN, '3 h 12 min'],
  [24 * H, '1 d'],
  [50 * H, '2 d 2 h'],
])('%d ms last %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0.04, '0.0 ms'],
  [9.94, '9.9 ms'],
  [12.3, '12 ms'],
  [1234, '1.2 s'],
  [230_000, '3 min 50 s'],
])('%d ms are said as %s', (ms, text) => {
  expect(took(ms)).toBe(text);
});

test('numbers have commas, and their words the right form', () => {
  expect([number(999), number(1000), number(1_234_567)]).toEqual(['999', '1,000', '1,234,567']);
  expect([count(1, 'client'), count(0, 'client'), count(2, 'retry', 'retries')]).toEqual([
    '1 client',
    '0 clients',
    '2 retries',
  ]);
});

test('a line is cut by what is seen of it, and colours are closed', () => {
  expect(fit('abcdef', 3)).toBe('abc');
  expect(fit(`${COLOUR.bad('abc')}def`, 2)).toBe('\u001b[31mab\u001b[39m');
  expect(fit('🎉🎉', 1)).toBe('🎉');
});

test('a text is broken between words, and a word that is too long stays whole', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('incomprehensible', 5)).toEqual(['incomprehensible']);
  expect(wrap('', 5)).toEqual(['']);
});

test('a sparkline goes from nothing to the largest', () => {
  expect(sparkline([null, 0, 50, 100])).toBe('·▁▅█');
  expect(sparkline([0, 0])).toBe('▁▁');
});

describe('ST1 colour', () => {
  test.each([
    ['on a terminal', { isTTY: true }, {}, COLOUR],
    ['into a pipe', {}, {}, PLAIN],
    ['with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, PLAIN],
    ['with an empty NO_COLOR, which does not count', { isTTY: true }, { NO_COLOR: '' }, COLOUR],
    ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, PLAIN],
  ])('%s', (_what, output, env, style) => {
    expect(styleFor(output, env)).toBe(style);
  });
});
