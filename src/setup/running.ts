// Whether a program runs at the moment, by the names of its processes.

import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';

const LIMIT_MS = 5000;

/** False where it cannot be told. */
export async function isRunning(
  names: readonly string[],
  platform: NodeJS.Platform = process.platform,
): Promise<boolean> {
  if (names.length === 0) return false;
  const fold = (name: string): string => (platform === 'win32' ? name.toLowerCase() : name);
  const wanted = new Set(names.map(fold));
  return (await processNames(platform)).some((name) => wanted.has(fold(name)));
}

async function processNames(platform: NodeJS.Platform): Promise<string[]> {
  try {
    if (platform === 'linux') return readdirSync('/proc').flatMap(nameOf);
    const [file, args] =
      platform === 'win32'
        ? ['tasklist.exe', ['/FO', 'CSV', '/NH']]
        : (['/bin/ps', ['-axo', 'comm=']] as const);
    const { stdout } = await promisify(execFile)(file, args, {
      timeout: LIMIT_MS,
      windowsHide: true,
    });
    return stdout.split(/\r?\n/).map(platform === 'win32' ? firstCell : baseName);
  } catch {
    return [];
  }
}

function nameOf(pid: string): string[] {
  if (!/^\d+$/.test(pid)) return [];
  try {
    return [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

const firstCell = (line: string): string => /^"([^"]*)"/.exec(line)?.[1] ?? '';
const baseName = (path: string): string => path.trim().split('/').at(-1) ?? '';
