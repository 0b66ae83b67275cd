// A path without a space to the program's script, because some clients on Windows take apart an argument with one: the path itself, the
// short name that Windows keeps of it, or a link to it.

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../config/config-file.ts';

const LIMIT_MS = 5000;
const SPACE = /\s/;

export interface SpacelessParts {
  readonly platform: NodeJS.Platform;
  /** A link that may be made. */
  readonly link: string;
  /** What Windows calls the file for short; the path itself where it keeps no short names. */
  readonly shortName?: (path: string) => string;
}

/** @throws ConfigError where there is no such path */
export function spacelessPath(script: string, parts: SpacelessParts): string {
  const { platform, link, shortName = windowsShortName } = parts;
  if (!SPACE.test(script)) return script;
  const found = platform === 'win32' ? shortName(script) : SPACE.test(link) ? script : linkTo(script, link);
  if (!SPACE.test(found)) return found;
  throw new ConfigError(
    `mcp-bridge lies at ${script}, and some clients take apart an argument with a space in it. Install it in a folder without spaces, then try again.`,
  );
}

/** Node.js finds what belongs to the script behind the link. */
function linkTo(script: string, link: string): string {
  try {
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && realpathOf(link) === script)
      return link;
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    rmSync(link, { force: true });
    symlinkSync(script, link);
    return link;
  } catch {
    return script;
  }
}

function realpathOf(link: string): string | undefined {
  try {
    return realpathSync(link);
  } catch {
    return undefined;
  }
}

/** The path goes by the environment, so that the shell reads none of it. */
function windowsShortName(path: string): string {
  try {
    const words = ['/d', '/v:on', '/c', 'for %I in ("!MCP_BRIDGE_SCRIPT!") do @echo %~sI'];
    const env = { ...process.env, MCP_BRIDGE_SCRIPT: path };
    const options = { env, timeout: LIMIT_MS, windowsHide: true, windowsVerbatimArguments: true };
    return execFileSync('cmd.exe', words, { ...options, encoding: 'utf8' }).trim() || path;
  } catch {
    return path;
  }
}
