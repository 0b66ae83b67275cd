// The terminal as `--watch` uses it: a screen of its own, keys one by one. Whatever ends the program, it is left as it was found.

export interface TerminalParts {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Called for q, Ctrl-C and signals. */
  readonly onQuit: () => void;
  readonly onResize: () => void;
}

// xterm's control sequences; every terminal that matters has them.
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_LINE_END = '\u001b[K';
const TO_SCREEN_END = '\u001b[J';
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export class Terminal {
  readonly #parts: TerminalParts;
  #isOpen = false;
  readonly #onKey = (key: Buffer): void => {
    const text = key.toString();
    if (text === 'q' || text === 'Q' || text.includes('\u0003') || text === '\u0004') this.#parts.onQuit();
  };
  readonly #onExit = (): void => this.close();

  constructor(parts: TerminalParts) {
    this.#parts = parts;
  }

  open(): void {
    const { stdin, stdout, onQuit, onResize } = this.#parts;
    this.#isOpen = true;
    process.on('exit', this.#onExit);
    for (const signal of SIGNALS) process.on(signal, onQuit);
    stdout.on('resize', onResize);
    if (stdin.isTTY) {
      stdin.setRawMode(true);
      stdin.on('data', this.#onKey);
      stdin.resume();
    }
    stdout.write(ENTER);
  }

  /** Shows these lines, which must fit, and nothing else. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.map((line) => `${line}${TO_LINE_END}`).join('\r\n');
    this.#parts.stdout.write(`${HOME}${text}${TO_SCREEN_END}`);
  }

  /** May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { stdin, stdout, onQuit, onResize } = this.#parts;
    stdout.write(LEAVE);
    if (stdin.isTTY) {
      stdin.off('data', this.#onKey);
      stdin.setRawMode(false);
      stdin.pause();
    }
    stdout.off('resize', onResize);
    process.off('exit', this.#onExit);
    for (const signal of SIGNALS) process.off(signal, onQuit);
  }
}
