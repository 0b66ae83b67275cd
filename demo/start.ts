// `npm start`: shows what the bridge does, on this machine alone, in a few seconds. Exit code 0 only if every step of
// it did what it says.
import { relative, resolve } from 'node:path';
import { runWalkthrough } from './walkthrough.ts';

const bin = resolve(import.meta.dirname, '../bin/mcp-bridge.js');
const interrupted = new AbortController();
let exitCode: number | undefined;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    exitCode = code;
    interrupted.abort(new Error('interrupted'));
  });
}
// `npm start | head`: nobody reads on, so there is nobody to show it to.
process.stdout.on('error', () => interrupted.abort(new Error('the output was closed')));

const passed = await runWalkthrough({
  output: process.stdout,
  bridgeFor: (url) => ({ command: process.execPath, args: [relative(process.cwd(), bin), 'run', url] }),
  signal: interrupted.signal,
});
// Not left to the event loop: a step that timed out may still hold a timer or a socket.
process.stdout.write('', () => process.exit(exitCode ?? (passed ? 0 : 1)));
