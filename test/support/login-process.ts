// `mcp-bridge login` as a person runs it who opens the address that it prints.
import { CliProcess, type Outcome } from './cli-process.ts';
import { browse, type SignInAnswer } from './sign-in-browser.ts';

/** In a file, because a test has no keychain unless it starts one. */
export const TO_FILE = ['--no-browser', '--insecure-storage'];

export class LoginProcess extends CliProcess {
  constructor(
    home: string,
    service: string,
    flags: readonly string[] = TO_FILE,
    env: Readonly<Record<string, string>> = {},
  ) {
    super(home, ['login', service, ...flags], env);
  }

  /** The address to open, which is printed on a line of its own. */
  async address(after = 0): Promise<string> {
    const found = (): string | undefined => /^ {2}(http\S+)\n/m.exec(this.stdout.slice(after))?.[1];
    await this.until(() => found() !== undefined, 'an address to open');
    return found() ?? '';
  }

  /** Opens it, and signs in there. */
  async visit(
    answer: SignInAnswer = {},
    fetch?: Parameters<typeof browse>[3],
  ): Promise<Outcome & { page: string }> {
    const { text } = await browse(await this.address(), answer, () => false, fetch);
    return { ...(await this.end()), page: text };
  }
}
