// The yardstick of the benchmark has to do the job that it is the measure of, and the driver has to notice when a
// bridge does not.
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeProcess, callLine, echoLine, idAnsweredBy, type Command } from '../../bench/driver.ts';
import { startService, type Service } from '../../bench/service.ts';

const bench = join(import.meta.dirname, '../../bench');
const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

async function serve(mode: 'sse' | 'json'): Promise<Service> {
  const service = await startService({ mode, handshakeMs: 0 });
  running.push(service);
  return service;
}

async function launch(...args: string[]): Promise<BridgeProcess> {
  const command: Command = { file: process.execPath, args, env: { PATH: process.env['PATH'] ?? '' } };
  const bridge = await BridgeProcess.launch(command, AbortSignal.timeout(10_000));
  running.push(bridge);
  return bridge;
}

describe('relay', () => {
  it.each(['sse', 'json'] as const)(
    'carries calls to the service and back, small and large (%s)',
    async (mode) => {
      const { url } = await serve(mode);
      const relay = await launch(join(bench, 'relay.ts'), url);
      expect(relay.launchMs).toBeGreaterThan(0);
      expect(await relay.callInTurn(3, echoLine)).toHaveLength(3);
      expect(await relay.callInTurn(1, (id) => callLine(id, 'blob', '{"bytes":1048576}'))).toHaveLength(1);
      const text = 'x'.repeat(1_048_576);
      expect(await relay.callInTurn(1, (id) => callLine(id, 'sink', `{"text":"${text}"}`))).toHaveLength(1);
    },
  );

  it('answers each of many calls in flight once', async () => {
    const { url } = await serve('sse');
    const relay = await launch(join(bench, 'relay.ts'), url);
    expect(await relay.flood(32, { maxCalls: 500 })).toMatchObject({ calls: 500 });
  });
});

describe('driver', () => {
  it('reports a bridge that exits, with what it said', async () => {
    const failing = launch('-e', 'console.error("TypeError: nothing works"); process.exit(3)');
    await expect(failing).rejects.toThrow(/exited \(3\).*nothing works/);
  });

  it('reports a bridge that answers with an error', async () => {
    const { url } = await serve('sse');
    const relay = await launch(join(bench, 'relay.ts'), url);
    const unknown = relay.callInTurn(1, (id) => callLine(id, 'nonsense', '{}'));
    await expect(unknown).rejects.toThrow(/answered with an error/);
  });

  it('reports a bridge that answers a call twice', async () => {
    const twice = `require('node:readline').createInterface(process.stdin).on('line', (line) => {
      const { id } = JSON.parse(line);
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: {} }) + '\\n';
      if (id !== undefined) process.stdout.write(id === 0 ? answer : answer + answer);
    })`;
    const bridge = await launch('-e', twice);
    await expect(bridge.flood(2, { maxCalls: 10 })).rejects.toThrow(/nobody waits for/);
  });

  it('finds the id of a large answer at either end', () => {
    const text = 'x'.repeat(100_000);
    expect(idAnsweredBy(Buffer.from(`{"jsonrpc":"2.0","id":7,"result":"${text}"}`))).toBe(7);
    expect(idAnsweredBy(Buffer.from(`{"result":"${text}","jsonrpc":"2.0","id":8}`))).toBe(8);
    expect(idAnsweredBy(Buffer.from(`{"jsonrpc":"2.0","method":"x","params":"${text}"}`))).toBeUndefined();
  });
});
