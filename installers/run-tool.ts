// Runs a tool of the system that a package is made with, and says what to install where it is missing.
import { spawnSync } from 'node:child_process';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What it printed on stdout. @throws Error with what it printed, when it fails. */
export function runTool(
  debianPackage: string,
  command: string,
  args: readonly string[],
  { cwd, env = process.env }: ToolOptions = {},
): string {
  const result = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error !== undefined) {
    const isMissing = (result.error as NodeJS.ErrnoException).code === 'ENOENT';
    throw isMissing
      ? new Error(`There is no \`${command}\` on this machine: apt-get install ${debianPackage}`)
      : result.error;
  }
  if (result.status !== 0) {
    const end = result.signal === null ? `ended with ${result.status}` : `was ended by ${result.signal}`;
    throw new Error(`\`${command}\` ${end}:\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}
