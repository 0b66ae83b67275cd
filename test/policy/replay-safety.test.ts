import { describe, expect, test } from 'vitest';
import { replaySafety, type ToolAnnotations } from '../../src/policy/replay-safety.ts';

describe('RT3 may be sent twice', () => {
  test.each([
    'initialize',
    'ping',
    'tools/list',
    'resources/list',
    'resources/read',
    'resources/subscribe',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
    'tasks/get',
  ])('%s', (method) => {
    expect(replaySafety(method, undefined)).toBe('safe');
  });

  test.each([
    ['was never listed', undefined, 'unsafe'],
    ['says nothing', {}, 'unsafe'],
    ['only reads', { readOnlyHint: true }, 'safe'],
    ['does the same twice', { idempotentHint: true }, 'safe'],
    ['reads and more', { readOnlyHint: true, idempotentHint: false }, 'safe'],
    ['writes', { readOnlyHint: false, idempotentHint: false }, 'unsafe'],
    ['says so in a way that is not the specified one', { readOnlyHint: 'true', idempotentHint: 1 }, 'unsafe'],
    ['destroys nothing, which is not the question', { destructiveHint: false } as ToolAnnotations, 'unsafe'],
  ] as [string, ToolAnnotations | undefined, string][])(
    'a call of a tool that %s: %j is %s',
    (_what, annotations, expected) => {
      expect(replaySafety('tools/call', annotations)).toBe(expected);
    },
  );
});
