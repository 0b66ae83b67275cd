// The gate between the list of requirements and the tests: what is delivered is shown by a test, and every id that a
// test cites is on the list.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { delivered, requirements } from '../requirements.ts';
import { compare, findCitations } from './citations.ts';
import { root } from './lint-fixtures.ts';

describe('requirements', () => {
  // The scanner's own tests cite ids that it makes up.
  const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
    (file) => !file.endsWith('citations.test.ts'),
  );
  const citations = files.flatMap((file) => findCitations(readFileSync(join(root, file), 'utf8')));
  const { uncited, unknown } = compare(citations, Object.keys(requirements), delivered);

  test('each that is delivered is cited by a test', () => {
    expect(uncited).toEqual([]);
  });

  test('each that a test cites is on the list', () => {
    expect(unknown).toEqual([]);
  });

  test('ids are numbered without gaps within their group', () => {
    const groups = Map.groupBy(Object.keys(requirements), (id) => id.slice(0, 2));
    for (const [group, ids] of groups) {
      expect(ids).toEqual(ids.map((_, index) => `${group}${index + 1}`));
    }
  });
});
