// What stands for the person's browser where a test launches the real program: an `xdg-open` of the test's own, found by PATH, that
// writes down each address. What happens with it then is the test's matter.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

export class BrowserStub {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-browser-'));

  constructor() {
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
    const program = join(this.#folder, 'xdg-open');
    writeFileSync(program, `#!/bin/sh\necho "$1" >> '${this.#list}'\n`);
    chmodSync(program, 0o755);
    appendFileSync(this.#list, '');
  }

  /** For the program under test: a screen, and this browser. */
  get env(): Record<string, string> {
    const path = `${this.#folder}${delimiter}${process.env['PATH'] ?? ''}`;
    return { PATH: path, DISPLAY: ':99', MCP_BRIDGE_OPEN_BROWSER: 'on-call' };
  }

  /** Each address that was to be opened. */
  get opened(): string[] {
    return existsSync(this.#list) ? readFileSync(this.#list, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** The first address, as soon as there is one. */
  async next(timeoutMs = 10_000): Promise<string> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const [first] = this.opened;
      if (first !== undefined) return first;
      if (performance.now() > until) throw new Error('no page was opened');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get #list(): string {
    return join(this.#folder, 'opened');
  }
}
