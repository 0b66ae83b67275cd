// What the person reads while set-up goes on.

import type { Plan } from '../../config/json-changes.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { diffText, setupLine, type Mark } from '../render/setup-view.ts';
import { styleFor, type Style } from '../render/style.ts';
import { wrap } from '../render/text.ts';

const COLUMNS = 100;

export class Reporter {
  readonly style: Style;
  readonly columns: number;
  readonly #stdout: NodeJS.WriteStream;

  constructor({ stdout, env }: Pick<CommandContext, 'stdout' | 'env'>) {
    this.#stdout = stdout;
    this.style = styleFor(stdout, env);
    this.columns = stdout.columns ?? COLUMNS;
  }

  title(text: string): void {
    this.say(`${this.style.bold(text)}\n`);
  }

  step(mark: Mark, name: string, detail: string): void {
    this.say(setupLine({ mark, name, detail }, this));
  }

  showDiffs(plans: readonly (Plan & { readonly file: string })[]): void {
    const changed = plans.filter(({ written }) => written !== 'same');
    for (const { file, before, after } of changed) this.say(diffText(file, before, after, this.style));
    this.say(
      changed.length === 0
        ? 'All is as it should be; nothing would be changed.'
        : 'Nothing was changed yet: this is a dry run.',
    );
  }

  /** The last line. Returns the exit code. */
  end(mark: 'ok' | 'warning' | 'failed', text: string): number {
    const colours = { ok: this.style.good, warning: this.style.warn, failed: this.style.bad };
    this.say(`\n${wrap(text, this.columns).map(colours[mark]).join('\n')}`);
    return mark === 'ok' ? EXIT.ok : EXIT.degraded;
  }

  say(text: string): void {
    this.#stdout.write(`${text}\n`);
  }
}
