// Finds the requirement ids that tests cite in their titles, by reading the source: nothing is run.
import { parseAst } from 'vitest/node';

export interface Citation {
  id: string;
  /** Of the test that shows it, with those of the describes around it. */
  title: string;
}

/** Two capitals and a number, as requirements.ts has them; whether the list knows it is another question. */
const idPattern = /\b[A-Z]{2}\d{1,2}\b/g;

interface SyntaxNode {
  type: string;
  [field: string]: unknown;
}

/** A call such as test('…'), describe.each(rows)('…') or someTest.skipIf(x)('…'), reduced to what matters here. */
interface TitledCall {
  isGroup: boolean;
  /** Not run, or expected to fail: it shows nothing. */
  isIdle: boolean;
  title: string;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function titleOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : undefined;
  if (node.type !== 'TemplateLiteral') return undefined;
  const parts = node['quasis'] as { value: { cooked: string } }[];
  return parts.map(({ value }) => value.cooked).join('…');
}

function titledCall(node: SyntaxNode): TitledCall | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const title = titleOf((node['arguments'] as unknown[])[0]);
  if (title === undefined) return undefined;

  // Down the chain of members and calls to the function that it begins with.
  const modifiers: string[] = [];
  let callee = node['callee'];
  while (isNode(callee) && callee.type !== 'Identifier') {
    if (callee.type === 'MemberExpression') {
      const property = callee['property'] as SyntaxNode;
      if (typeof property['name'] === 'string') modifiers.push(property['name']);
      callee = callee['object'];
    } else if (callee.type === 'CallExpression') {
      callee = callee['callee'];
    } else if (callee.type === 'TaggedTemplateExpression') {
      callee = callee['tag'];
    } else {
      return undefined;
    }
  }
  const name = isNode(callee) ? String(callee['name']) : '';
  // `faultTest`, made by test.extend, is a test too.
  if (!/^(test|it|describe)$|Test$/.test(name)) return undefined;
  const isIdle = ['skip', 'todo', 'fails'].some((modifier) => modifiers.includes(modifier));
  return { isGroup: name === 'describe', isIdle, title };
}

/** The citations of one test file, in its order; a title that names two ids makes two. */
export function findCitations(source: string): Citation[] {
  const citations: Citation[] = [];

  const visit = (value: unknown, around: readonly string[]): void => {
    if (Array.isArray(value)) {
      for (const entry of value) visit(entry, around);
      return;
    }
    if (!isNode(value)) return;
    const call = titledCall(value);
    if (call?.isIdle) return;
    const titles = call === undefined ? around : [...around, call.title];
    if (call !== undefined && !call.isGroup) {
      const title = titles.join(' > ');
      for (const id of new Set(title.match(idPattern))) citations.push({ id, title });
    }
    for (const field of Object.values(value)) visit(field, titles);
  };

  // Its successor is exported by vite alone, which is not ours to import.
  // oxlint-disable-next-line typescript/no-deprecated
  visit(parseAst(source, { lang: 'ts' }), []);
  return citations;
}

/** What is wrong between a list of requirements and the tests that cite them. */
export function compare(
  citations: readonly Citation[],
  known: readonly string[],
  delivered: readonly string[],
): { uncited: string[]; unknown: Citation[] } {
  const cited = new Set(citations.map(({ id }) => id));
  return {
    uncited: delivered.filter((id) => !cited.has(id)),
    unknown: citations.filter(({ id }) => !known.includes(id)),
  };
}
