// Owns child processes of the tests: started here, ended here by process id, whatever happens to the test.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { pause, type Scope } from './scope.ts';

const killAfterMs = 2_000;

export interface Command {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number | null>;
  stderr(): string;
}

export function startChild(scope: Scope, { command, args, env }: Command): Child {
  const child = spawn(command, args, { env, stdio: 'pipe', windowsHide: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000);
  });
  // A child that has gone must not fail the test by an unhandled EPIPE; its exit is what tests look at.
  child.stdin.on('error', () => undefined);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', (error) => {
      stderr += String(error);
      resolve(null);
    });
  });
  scope.defer(() => endProcess(child.pid));
  return { process: child, exited, stderr: () => stderr };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Asks the process to end, then makes it. */
export async function endProcess(pid: number | null | undefined): Promise<void> {
  if (pid == null || !isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < killAfterMs; waitedMs += 20) {
    await pause(20);
    if (!isAlive(pid)) return;
  }
  process.kill(pid, 'SIGKILL');
}
