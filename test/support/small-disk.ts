// A file system of its own, small, that can be filled and made read-only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { needsRoot, needsTools } from './needs.ts';

export interface SmallDisk {
  readonly path: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Takes away what filled it. */
  empty(): void;
  makeReadOnly(): void;
}

/** Skips the test where none can be mounted: not every container allows it. Ask for it before what is to live there. */
export function useSmallDisk(context: TestContext): SmallDisk {
  needsRoot(context);
  needsTools(context, 'mount', 'umount');
  const path = mkdtempSync(join(tmpdir(), 'mcp-bridge-disk-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`needs to mount a tmpfs (${String((error as { stderr?: Buffer }).stderr).trim()})`);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      try {
        writeFileSync(filler, Buffer.alloc(bavail * bsize), { flag: 'a' });
      } catch (error) {
        // Somebody else has written meanwhile: then it is full as well.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    empty: () => rmSync(filler),
    makeReadOnly() {
      execFileSync('mount', ['-o', 'remount,ro', path]);
      // Else nothing could be tidied up.
      onTestFinished(() => void execFileSync('mount', ['-o', 'remount,rw', path]));
    },
  };
}
