// How the walkthrough looks: one aligned line a step, a live line while a step runs on a terminal, plain text elsewhere.
import { styleText } from 'node:util';
import type { Writable } from 'node:stream';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Where it goes. A terminal says so itself (`isTTY`). */
export type Output = Writable & { isTTY?: boolean };

const width = 78;

export class Screen {
  readonly #output: Output;
  readonly #live: boolean;
  readonly #colour: boolean;

  constructor(output: Output, env: NodeJS.ProcessEnv = process.env) {
    this.#output = output;
    this.#live = output.isTTY === true && env['TERM'] !== 'dumb';
    this.#colour = this.#live && !env['NO_COLOR']; // https://no-color.org: set and not empty
  }

  line(text = ''): void {
    this.#output.write(`${text}\n`);
  }

  heading(text: string): void {
    this.line(`\n${this.paint('bold', text)}\n`);
  }

  field(name: string, value: string): void {
    this.line(`  ${this.paint('dim', name.padEnd(9))} ${value}`);
  }

  /** Shown until the next line is written; not at all where lines cannot be taken back. */
  live(title: string, state = ''): void {
    if (this.#live) this.#output.write(`\r\x1b[2K  ${this.paint('cyan', '›')} ${title}  ${state}`);
  }

  passed(title: string, ms: number, details: string): void {
    this.#outcome(this.paint('green', '✓'), title, formatMs(ms), details);
  }

  failed(title: string, ms: number, details: string): void {
    this.#outcome(this.paint('red', '✗'), this.paint('red', title), formatMs(ms), details, title.length);
  }

  skipped(title: string): void {
    this.#outcome(this.paint('yellow', '–'), this.paint('dim', title), 'not run', '', title.length);
  }

  /** The first column is text, the others figures. */
  table(header: string[], rows: string[][]): void {
    const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i]?.length ?? 0)));
    const [first = 0, ...others] = widths;
    const stretched = [
      Math.max(first, width - 2 - others.reduce((sum, each) => sum + each + 3, 0)),
      ...others,
    ];
    const render = (row: string[]): string =>
      stretched.map((each, i) => (i === 0 ? row[i]?.padEnd(each) : row[i]?.padStart(each))).join('   ');
    const rule = this.paint('dim', '─'.repeat(stretched.reduce((sum, each) => sum + each + 3, -3)));
    for (const text of [this.paint('bold', render(header)), rule, ...rows.map(render), rule])
      this.line(`  ${text}`);
  }

  paint(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text;
  }

  #outcome(mark: string, title: string, figure: string, details: string, titleLength = title.length): void {
    const gap = ' '.repeat(Math.max(2, width - 4 - titleLength - figure.length));
    this.line(`${this.#live ? '\r\x1b[2K' : ''}  ${mark} ${title}${gap}${figure}`);
    for (const detail of wrap(details, width - 4)) this.line(`    ${this.paint('dim', detail)}`);
  }
}

/** Breaks at spaces; a word longer than a line has one to itself. Empty lines are left out. */
function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(' ')) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + 1 + word.length <= columns)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines.filter(Boolean);
  });
}

export function formatMs(ms: number): string {
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
