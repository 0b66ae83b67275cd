// Changes one value in the text of a JSON file and leaves every other byte of it as it is: it inserts, replaces or cuts out, and never
// formats what it did not write. Comments and trailing commas, where a file has them, stay too. Pure.

import { parseTree, type Node } from 'jsonc-parser';

interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

/** How the file is written, so that what is added looks like the rest. */
interface Style {
  readonly eol: string;
  /** One step of indentation. */
  readonly step: string;
}

/**
 * The text with `value` at `path`, or without what is there where it is undefined. Objects on the way are made.
 * @param text valid JSON, or JSON with comments, with an object outermost; or empty
 */
export function editText(text: string, path: readonly string[], value: unknown): string {
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const gap = text === '' || text.endsWith('\n') ? '' : eol;
  const base = parseTree(text) === undefined ? `${text}${gap}{}${eol}` : text;
  const root = parseTree(base) as Node;
  const style = { eol, step: /^\{\s*?\n([ \t]+)"/.exec(base.slice(root.offset))?.[1] ?? '  ' };
  const edits = editsFor(base, root, path, value, style);
  return edits
    .toSorted((a, b) => b.at - a.at)
    .reduce((out, { at, length, text: put }) => out.slice(0, at) + put + out.slice(at + length), base);
}

function editsFor(text: string, root: Node, path: readonly string[], value: unknown, style: Style): Edit[] {
  let object = root;
  for (const [depth, key] of path.entries()) {
    const member = membersOf(object).find(({ name }) => name === key);
    const isLast = depth === path.length - 1;
    if (member === undefined)
      return value === undefined
        ? []
        : insert(text, object, key, nested(path.slice(depth + 1), value), style);
    if (isLast && value === undefined) return remove(text, object, member.node);
    if (isLast || member.value.type !== 'object') {
      if (value === undefined) return [];
      const { offset, length } = member.value;
      const put = nested(path.slice(depth + 1), value);
      return [
        {
          at: offset,
          length,
          text: written(put, isSpread(text, object), lineIndent(text, member.node.offset), style),
        },
      ];
    }
    object = member.value;
  }
  return [];
}

interface Member {
  readonly node: Node;
  readonly name: string;
  readonly value: Node;
}

function membersOf(object: Node): Member[] {
  return (object.children ?? []).flatMap((node) => {
    const [name, value] = node.children ?? [];
    return name === undefined || value === undefined ? [] : [{ node, name: String(name.value), value }];
  });
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function insert(text: string, object: Node, key: string, value: unknown, style: Style): Edit[] {
  const { eol, step } = style;
  const spread = isSpread(text, object);
  const last = object.children?.at(-1);
  if (last === undefined) {
    const outer = lineIndent(text, object.offset);
    const member = `${JSON.stringify(key)}: ${written(value, spread, outer + step, style)}`;
    const inner = text.slice(object.offset + 1, endOf(object) - 1);
    if (!spread) return [{ at: object.offset + 1, length: 0, text: member }];
    const close = inner.includes('\n') ? '' : eol + outer;
    return [{ at: object.offset + 1, length: 0, text: `${eol}${outer}${step}${member}${close}` }];
  }
  const indent = lineIndent(text, last.offset);
  const gap = spread ? eol + indent : betweenMembers(text, object);
  const colon = /^"[^"]*"\s*:\s/.test(text.slice(last.offset)) || spread ? ': ' : ':';
  const member = `${gap}${JSON.stringify(key)}${colon}${written(value, spread, indent, style)}`;
  const { commaAt, lineEnd } = tailOf(text, endOf(last));
  if (commaAt === undefined && lineEnd === endOf(last))
    return [{ at: lineEnd, length: 0, text: `,${member}` }];
  // Whoever writes a comma behind the last one gets one there again.
  if (commaAt !== undefined) return [{ at: lineEnd, length: 0, text: `${member},` }];
  const comma = { at: endOf(last), length: 0, text: ',' };
  return [comma, { at: lineEnd, length: 0, text: member }];
}

function remove(text: string, object: Node, member: Node): Edit[] {
  const members = object.children ?? [];
  const index = members.indexOf(member);
  const before = members[index - 1];
  const after = members[index + 1];
  const cut = (from: number, to: number): Edit[] => [{ at: from, length: to - from, text: '' }];
  const isPlain = (from: number, to: number): boolean => /^\s*,?\s*$/.test(text.slice(from, to));
  if (before !== undefined && isPlain(endOf(before), member.offset)) {
    const behind = after === undefined ? tailOf(text, endOf(member)).commaAt : undefined;
    if (behind !== undefined) return cut(text.indexOf(',', endOf(before)) + 1, behind + 1);
    return cut(endOf(before), endOf(member));
  }
  if (after !== undefined && isPlain(endOf(member), after.offset)) return cut(member.offset, after.offset);
  const [start, end] = [object.offset + 1, endOf(object) - 1];
  if (members.length === 1 && isPlain(start, member.offset) && isPlain(endOf(member), end))
    return cut(start, end);
  // Comments stand around it: they stay, and one comma goes.
  const comma = tailOf(text, endOf(member)).commaAt ?? (before && tailOf(text, endOf(before)).commaAt);
  return [...cut(member.offset, endOf(member)), ...(comma === undefined ? [] : cut(comma, comma + 1))];
}

/** What follows a member: its comma, and where the line ends on which it and its comments stand. */
function tailOf(
  text: string,
  from: number,
): { readonly commaAt: number | undefined; readonly lineEnd: number } {
  // Blanks, a comma, a comment: each in its turn, until the line ends or something else begins.
  const piece = /[ \t]+|(,)|(\/\/[^\r\n]*|\/\*[^]*?\*\/)/y;
  let commaAt: number | undefined;
  let lineEnd = from;
  piece.lastIndex = from;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    const [, comma, comment] = found;
    if (comma !== undefined) commaAt = found.index;
    if (comma !== undefined || comment !== undefined) lineEnd = piece.lastIndex;
  }
  return { commaAt, lineEnd };
}

/** Whether its members stand on lines of their own; one without members goes by the whole file. */
function isSpread(text: string, object: Node): boolean {
  const first = object.children?.[0];
  if (first !== undefined) return text.slice(object.offset, first.offset).includes('\n');
  const root = rootOf(object);
  return root === object || text.slice(root.offset, endOf(root)).includes('\n');
}

function rootOf(node: Node): Node {
  return node.parent === undefined ? node : rootOf(node.parent);
}

/** In an object on one line: what stands behind its commas. */
function betweenMembers(text: string, object: Node): string {
  const [first, second] = object.children ?? [];
  if (first === undefined || second === undefined) return text[object.offset + 1] === ' ' ? ' ' : '';
  const gap = /^\s*,(\s*)$/.exec(text.slice(endOf(first), second.offset))?.[1] ?? '';
  return gap.includes('\n') ? ' ' : gap;
}

function written(value: unknown, spread: boolean, indent: string, { eol, step }: Style): string {
  if (!spread) return JSON.stringify(value);
  return JSON.stringify(value, undefined, step).replaceAll('\n', eol + indent);
}

/** The white space that the line of this place begins with. */
function lineIndent(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))?.[0] ?? '';
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}
