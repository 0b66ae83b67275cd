// Notices that the machine has slept or changed networks, when connections may have died without a word.

import { networkInterfaces } from 'node:os';
import type { Clock } from './clock.ts';

const LOOK_EVERY_MS = 5000;
/** A look that comes this much later than it should, in milliseconds, means that the machine was not running. */
const JUMP_MS = 10_000;

/**
 * @param onWake called with the reason
 * @returns stops watching
 */
export function watchForWake(
  clock: Clock,
  onWake: (reason: string) => void,
  readNetwork = networkSignature,
): () => void {
  let lookedAt = clock.wallTime();
  let network = readNetwork();
  let timer = clock.after(LOOK_EVERY_MS, look);
  return () => timer.cancel();

  function look(): void {
    const now = clock.wallTime();
    const seen = readNetwork() ?? network;
    // A clock that was set back says nothing; one that jumped ahead means sleep, or a correction that a check does no harm to.
    if (now - lookedAt > LOOK_EVERY_MS + JUMP_MS) onWake('the machine was asleep');
    else if (network !== undefined && seen !== network) onWake('the network has changed');
    lookedAt = now;
    network = seen;
    timer = clock.after(LOOK_EVERY_MS, look);
  }
}

/**
 * The addresses of this machine, but for loopback and link-local ones, which come and go without meaning. Undefined where the
 * system does not tell, as while no more files can be opened, or ever in some sandboxes.
 */
function networkSignature(): string | undefined {
  let interfaces: ReturnType<typeof networkInterfaces>;
  try {
    interfaces = networkInterfaces();
  } catch {
    return undefined;
  }
  const addresses = Object.entries(interfaces).flatMap(([name, list]) =>
    (list ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
      .map(({ address }) => `${name} ${address}`),
  );
  return addresses.toSorted().join('\n');
}
