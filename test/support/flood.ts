import type { BridgeProcess } from './bridge-process.ts';
import { afterFairMs } from './fair-time.ts';

/** What is taken at all is taken sooner, in milliseconds. */
const STUCK_MS = 1500;
const TOGETHER = 1000;

/** Writes pings, a megabyte at a time, until no more are taken, which is for good where nothing is read. Returns their ids. */
export async function flood(bridge: BridgeProcess): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < 20_000) {
    const some = Array.from({ length: TOGETHER }, (_, n) => `flood-${ids.length + n} ${'x'.repeat(1000)}`);
    ids.push(...some);
    bridge.write(some.map((id) => `{"jsonrpc":"2.0","id":"${id}","method":"ping"}\n`).join(''));
    if (!(await isTaken(bridge))) return ids;
  }
  throw new Error('All was taken, however much it was.');
}

function isTaken(bridge: BridgeProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const callOff = afterFairMs(STUCK_MS, () => resolve(false));
    void bridge.written().then(() => {
      callOff();
      resolve(true);
    });
  });
}
