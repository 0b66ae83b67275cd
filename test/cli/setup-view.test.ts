// A step of set-up as a line of text.
import { expect, test } from 'vitest';
import { setupLine } from '../../src/cli/render/setup-view.ts';
import { PLAIN } from '../../src/cli/render/style.ts';

test('SC4 what a service says moves no cursor and clears no screen of the person who sets it up', () => {
  const detail = 'launched the entry as the client does: 1 tool (a\u001b[2J\u001b]0;title\u0007b\nc)';
  const line = setupLine({ mark: 'ok', name: 'proof', detail }, { style: PLAIN, columns: 200 });
  expect(line).toContain('(a [2J ]0;title b c)');
});
