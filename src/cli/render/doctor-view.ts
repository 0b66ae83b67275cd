// What the doctor has found, as lines of text.

import type { StepResult } from '../doctor/step.ts';
import { STEPS } from '../doctor/step.ts';
import { printable } from '../../observe/describe.ts';
import type { Style } from './style.ts';
import { count, took, wrap } from './text.ts';

const NAME = Math.max(...STEPS.map((step) => step.length)) + 2;
const MARK = 9;
const TIME = 9;

export function stepLines(
  result: StepResult,
  { style, columns }: { readonly style: Style; readonly columns: number },
): string[] {
  const marks = { ok: style.good, warning: style.warn, failed: style.bad, skipped: style.dim } as const;
  const mark = marks[result.kind](result.kind === 'failed' ? 'FAILED' : result.kind);
  const gap = ' '.repeat(MARK - result.kind.length);
  const time = (result.kind === 'skipped' ? '' : took(result.ms)).padStart(TIME);
  const indent = 2 + MARK + NAME + TIME + 2;
  const room = Math.max(30, columns - indent);
  const remedy = 'remedy' in result ? wrap(`→ ${result.remedy}`, room).map((line) => style.bold(line)) : [];
  const [first = '', ...more] = wrap(printable(result.detail), room);
  return [
    `  ${mark}${gap}${result.step.padEnd(NAME)}${time}  ${first}`,
    ...[...more, ...remedy].map((line) => `${' '.repeat(indent)}${line}`),
  ];
}

export function summaryLine(steps: readonly StepResult[], style: Style): string {
  const bad = steps.filter(({ kind }) => kind === 'failed');
  const warnings = steps.filter(({ kind }) => kind === 'warning').length;
  const first = bad[0];
  if (first !== undefined) {
    return style.bad(`Not well: the ${first.step} step failed. What to do is said behind it.`);
  }
  if (warnings > 0) return style.warn(`The service can be used; ${count(warnings, 'warning')} above.`);
  return style.good('All is well.');
}
