// The background process behind the bridges of one home, as the benchmark sees it: where it is, what it takes, and its end.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signal } from '../src/platform/abort.ts';
import { systemClock } from '../src/platform/clock.ts';
import { ControlClient, type Answer } from '../src/platform/control-client.ts';
import { daemonSecretFile, daemonSocket, resolvePaths } from '../src/platform/paths.ts';

const endMs = 5_000;
const lookEveryMs = 10;

export class BenchDaemon {
  readonly #control: ControlClient;

  constructor(home: string) {
    const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
    this.#control = new ControlClient({
      socketPath: daemonSocket(paths),
      secretFile: daemonSecretFile(paths),
      clock: systemClock,
    });
  }

  /** Undefined while none runs. */
  async pid(): Promise<number | undefined> {
    return pidIn(await this.#control.get('/status'));
  }

  /** Hands over what it tells of its course, until `signal` aborts. */
  async events(onEvent: (event: unknown) => void, signal: Signal): Promise<void> {
    await this.#control.events(onEvent, signal);
  }

  /** Ends it, and waits until its process has gone. Does nothing where none runs. */
  async stop(): Promise<void> {
    const pid = await this.pid();
    if (pid === undefined) return;
    await this.#control.post('/shutdown');
    const until = performance.now() + endMs;
    while (isAlive(pid) && performance.now() < until) await sleep(lookEveryMs);
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

function pidIn(answer: Answer): number | undefined {
  if (answer.kind !== 'answered' || answer.status !== 200) return undefined;
  return (answer.body as { daemon: { pid: number } }).daemon.pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
