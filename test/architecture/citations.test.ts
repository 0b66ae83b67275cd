// The scanner behind the requirements gate: what counts as a citation, and what doesn't.
import { describe, expect, test } from 'vitest';
import { compare, findCitations } from './citations.ts';

const idsIn = (source: string): string[] => findCitations(source).map(({ id }) => id);

describe('findCitations', () => {
  const cites: Record<string, [source: string, ids: string[]]> = {
    'a test': [`test('AB1 works', () => {});`, ['AB1']],
    'an it': [`it("AB12 works", () => {});`, ['AB12']],
    'a template': ['test(`AB1 works with ${x}`, () => {});', ['AB1']],
    'two in one title': [`test('AB1 AB2 work', () => {});`, ['AB1', 'AB2']],
    'the same twice in one title': [`test('AB1 and AB1 again', () => {});`, ['AB1']],
    'one in the middle': [`test('works (AB1)', () => {});`, ['AB1']],
    'test.each': [`test.each([['x']])('AB1 works for %s', (x) => {});`, ['AB1']],
    'test.each with a table': ['test.each`a | b\n${1} | ${2}`("AB1 works", () => {});', ['AB1']],
    'test.skipIf': [`test.skipIf(process.platform === 'win32')('AB1 works', () => {});`, ['AB1']],
    'test.concurrent.for': [`test.concurrent.for([1])('AB1 works', () => {});`, ['AB1']],
    'a test made by extend': [
      `const faultTest = test.extend({}); faultTest('AB1 works', () => {});`,
      ['AB1'],
    ],
    'typed code': [`test('AB1 works', async (): Promise<void> => { const x = y as string; });`, ['AB1']],
    'a test within describe': [`describe('all', () => { test('AB1 works', () => {}); });`, ['AB1']],
    'a describe with tests': [
      `describe('AB1 all', () => { test('one', () => {}); test('AB2 two', () => {}); });`,
      ['AB1', 'AB1', 'AB2'],
    ],
    'a test made in a loop': ['for (const x of [1]) { test(`AB1 works for ${x}`, () => {}); }', ['AB1']],
  };
  test.each(Object.entries(cites))('finds: %s', (_, [source, ids]) => {
    expect(idsIn(source)).toEqual(ids);
  });

  const ignored: Record<string, string> = {
    'a comment': `// test('AB1 works', () => {});`,
    'a string elsewhere': `const title = "test('AB1 works')";`,
    'a call of something else': `log('AB1 works');`,
    'a skipped test': `test.skip('AB1 works', () => {});`,
    'a planned test': `test.todo('AB1 works');`,
    'a test that is known to fail': `test.fails('AB1 works', () => {});`,
    'all of a skipped describe': `describe.skip('AB1', () => { test('AB2 works', () => {}); });`,
    'a describe without a test': `describe('AB1 all', () => {});`,
    'a describe whose only test is skipped': `describe('AB1 all', () => { test.skip('one', () => {}); });`,
    'what only looks like an id': `test('UTF8, SHA256, V8, XAB1 and AB123 stay whole', () => {});`,
    'the body of a test': `test('works', () => { expect('AB1').toBe('AB1'); });`,
  };
  test.each(Object.entries(ignored))('ignores: %s', (_, source) => {
    expect(idsIn(source)).toEqual([]);
  });

  test('tells the whole title', () => {
    expect(findCitations(`describe('all', () => { test('AB1 works', () => {}); });`)).toEqual([
      { id: 'AB1', title: 'all > AB1 works' },
    ]);
  });
});

describe('compare', () => {
  const citation = (id: string): { id: string; title: string } => ({ id, title: `${id} works` });

  test('names what is delivered and cited by no test', () => {
    expect(compare([citation('AB1')], ['AB1', 'AB2', 'AB3'], ['AB1', 'AB2']).uncited).toEqual(['AB2']);
  });

  test('names what is cited and on no list', () => {
    expect(compare([citation('AB1'), citation('AB9')], ['AB1'], ['AB1']).unknown).toEqual([citation('AB9')]);
  });

  test('a requirement may be cited before it is delivered', () => {
    expect(compare([citation('AB1')], ['AB1'], [])).toEqual({ uncited: [], unknown: [] });
  });
});
