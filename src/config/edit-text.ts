// Changes one value in the text of a config file and leaves every other byte of it as it is. Pure.

import { applyEdits, modify, type JSONPath } from 'jsonc-parser';

/**
 * The text with `value` at `path`, or without what is there where it is undefined. Objects on the way are made. Indentation
 * and line ends are those of the text.
 * @param text valid JSON with an object outermost, or empty
 */
export function editText(text: string, path: JSONPath, value: unknown): string {
  const isEmpty = text.trim() === '';
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const base = isEmpty ? `{}${eol}` : text;
  const indent = /^[{[]\s*\n([ \t]+)\S/.exec(base.trimStart())?.[1] ?? '  ';
  const formattingOptions = { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol };
  return applyEdits(base, modify(base, path, value, { formattingOptions }));
}
