// How a daemon that cannot run tells the front that started it, since nothing else connects the two.

/** The word is for people. 0 is an end as it should be, and also "another one is there already". */
export const DAEMON_EXITS = {
  runtimeDir: { code: 71, text: 'its directory cannot be made or is not private' },
  lock: { code: 72, text: 'its lock file cannot be used' },
  secret: { code: 73, text: 'its secret cannot be stored' },
  socket: { code: 74, text: 'its socket cannot be opened' },
} as const;

export function daemonExitText(code: number): string {
  const known = Object.values(DAEMON_EXITS).find((exit) => exit.code === code);
  return known?.text ?? `it ended with exit code ${code}`;
}
