// The service of `bench/service.ts` in a process of its own, so that it does not share a thread with what measures.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Service, ServiceOptions } from './service.ts';

export async function startServiceProcess({ mode, handshakeMs }: ServiceOptions): Promise<Service> {
  const file = join(import.meta.dirname, 'service.ts');
  const args = [file, '--mode', mode, '--handshake-ms', String(handshakeMs)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const first = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const line = await Promise.race([first, exited.then(() => undefined)]);
  if (line === undefined)
    throw new Error('The service of the benchmark did not start; its message is above.');
  return {
    ...(JSON.parse(line[0]) as { url: string }),
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
