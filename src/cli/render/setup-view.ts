// What set-up does, step by step, as lines of text.

import { createTwoFilesPatch } from 'diff';
import { printable } from '../../observe/describe.ts';
import type { Style } from './style.ts';
import { wrap } from './text.ts';

export type Mark = 'ok' | 'same' | 'warning' | 'failed';

const MARK = 9;
const NAME = 16;

/** One step that is done, or not. */
export function setupLine(
  { mark, name, detail }: { readonly mark: Mark; readonly name: string; readonly detail: string },
  { style, columns }: { readonly style: Style; readonly columns: number },
): string {
  const colours = { ok: style.good, same: style.dim, warning: style.warn, failed: style.bad } as const;
  const indent = 2 + MARK + NAME;
  const [first = '', ...more] = wrap(printable(detail), Math.max(30, columns - indent));
  const head = `  ${colours[mark](mark === 'failed' ? 'FAILED' : mark)}${' '.repeat(MARK - mark.length)}${name.padEnd(NAME)}`;
  return [`${head}${first}`, ...more.map((line) => `${' '.repeat(indent)}${line}`)].join('\n');
}

/** A change of a file, as `diff -u` shows it. */
export function diffText(path: string, before: string, after: string, style: Style): string {
  const patch = createTwoFilesPatch(before === '' ? '/dev/null' : path, path, before, after, '', '', {
    context: 3,
  });
  const lines = patch.split('\n').filter((line) => !/^(=+|Index: .*)$/.test(line));
  return lines
    .map((line) => {
      if (/^(\+\+\+|---) /.test(line)) return style.bold(line.trimEnd());
      if (line.startsWith('+')) return style.good(line);
      return line.startsWith('-') ? style.bad(line) : line;
    })
    .join('\n');
}
