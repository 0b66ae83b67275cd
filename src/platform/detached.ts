// Starts a program that outlives this one: a session of its own, no inherited handles, no window.

import { homedir } from 'node:os';

export interface DetachedProcess {
  /** Its exit code once it has ended (-1 for a signal); undefined while it runs, or where it never started. */
  exitCode: number | undefined;
  /** Why it could not be started. */
  error: Error | undefined;
}

/**
 * What a background process takes from the environment of the program that happens to start it: where things are, how to
 * reach the network and the user's session. Not the secrets of one client, and not options for Node.js.
 */
const KEPT =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|APPDATA|LOCALAPPDATA|USERPROFILE|USERNAME|USERDOMAIN|HOMEDRIVE|HOMEPATH|PROGRAMDATA|PROGRAMFILES.*|COMSPEC|PATHEXT|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMPUTERNAME|HTTPS?_PROXY|ALL_PROXY|NO_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|MCP_BRIDGE_HOME)$/i;

/**
 * For the allocator of glibc, which nobody else heeds: threads share one heap, and what becomes free at its end goes back to the
 * system. What V8's compilers leave behind would stay with the process for good, more than 1 MB of it.
 */
const SMALL_HEAP = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

/** Of `environment`, what a helper process may have. */
export function sharedEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => KEPT.test(name)));
}

export function startDetached(file: string, environment: NodeJS.ProcessEnv): DetachedProcess {
  const state: DetachedProcess = { exitCode: undefined, error: undefined };
  try {
    // Imported above, it would be loaded by every launch, and hardly any needs it.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn(process.execPath, [file], {
      detached: true,
      stdio: 'ignore',
      windowsHide: true,
      // Keeps no directory busy that somebody may want to unmount or remove.
      cwd: process.platform === 'win32' ? homedir() : '/',
      env: { ...sharedEnvironment(environment), ...SMALL_HEAP },
    });
    child.once('error', (error) => {
      state.error = error;
    });
    child.once('exit', (code) => {
      state.exitCode = code ?? -1;
    });
    child.unref();
  } catch (error) {
    state.error = error instanceof Error ? error : new Error(String(error));
  }
  return state;
}
