// A scripted service as a process of its own, because a process lives in one network namespace. Listens on the address
// that it is given; says its port, and then, for each line on stdin, what it saw. Ends with stdin.
import { createServer, connect, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { ScriptedService } from '../support/scripted-service.ts';

/** What the service tells of itself. */
export interface ServiceSight {
  readonly executions: Readonly<Record<string, number>>;
  readonly handshakes: number;
  readonly socketsOpened: number;
}

if (import.meta.main) {
  const address = process.argv[2]!;
  const service = await ScriptedService.start();
  // The service listens on loopback alone; this hands on what arrives at the address.
  const door = createServer({ noDelay: true }, (outside) => {
    const inside = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port), noDelay: true });
    outside.pipe(inside).pipe(outside);
    for (const [one, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  door.listen(0, address, () => {
    process.stdout.write(`${JSON.stringify({ port: (door.address() as AddressInfo).port })}\n`);
  });
  const input = createInterface({ input: process.stdin });
  input.on('line', () => {
    const { executions, handshakes } = service.record;
    const { socketsOpened } = service;
    const sight: ServiceSight = { executions: Object.fromEntries(executions), handshakes, socketsOpened };
    process.stdout.write(`${JSON.stringify(sight)}\n`);
  });
  input.on('close', () => process.exit(0));
}
