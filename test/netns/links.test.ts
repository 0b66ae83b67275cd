// The bridge and the service on two machines, as far as the kernel is concerned, and what a real network does between
// them. The links run side by side, because most of their time is waiting.
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BridgeProcess } from '../support/bridge-process.ts';
import type { RpcMessage } from '../support/scripted/messages.ts';
import { Random } from '../chaos/random.ts';
import { FarService } from './far-service.ts';
import { Link, whyNoNamespaces } from './link.ts';
import { fairMs } from '../support/fair-time.ts';

const reason = whyNoNamespaces();
const launcher = resolve(import.meta.dirname, '../../bin/mcp-bridge.js');
const limitMs = 50_000;

interface Far {
  readonly link: Link;
  readonly service: FarService;
  readonly bridge: BridgeProcess;
}

/** A service and a bridge that has shaken hands and listed the tools, with a link between them. */
async function withLink(
  quality: Partial<Pick<Link, 'delayMs' | 'loss'>>,
  args: readonly string[],
  body: (far: Far) => Promise<void>,
): Promise<void> {
  const random = new Random(20_261_123);
  await using link = await Link.open(() => random.next());
  await using service = await FarService.start(link);
  Object.assign(link, quality);
  await using bridge = await BridgeProcess.launch(service.url, {
    program: [...link.program('bridge'), process.execPath, launcher, 'run'],
    args: ['--allow-http', ...args],
  });
  await bridge.request('initialize', initializeParams, { timeoutMs: 20_000 });
  bridge.notify('notifications/initialized');
  await bridge.request('tools/list', {}, { timeoutMs: 20_000 });
  await body({ link, service, bridge });
  expect(bridge.strayLines).toEqual([]);
}

const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'far-client', version: '1.0.0' },
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A reply, and when it came after `from`. */
async function timed(
  reply: Promise<RpcMessage>,
  from = performance.now(),
): Promise<RpcMessage & { ms: number }> {
  const message = await reply;
  return { ...message, ms: fairMs(from) };
}

const codeOf = ({ error }: RpcMessage): unknown => (error?.data as { code?: unknown } | undefined)?.code;

/**
 * A read and a write are in flight when the path goes; both have begun at the service, and their answers are lost. Then it
 * comes back, and a new request is made.
 */
async function expectRecovery(
  far: Far,
  brokenMs: number,
  path: { go(): void; comeBack(): void },
): Promise<void> {
  const { service, bridge } = far;
  const read = bridge.callTool('read', { key: 'read', ms: 1000 }, { timeoutMs: limitMs });
  const writtenAt = performance.now();
  const write = timed(
    bridge.callTool('write', { key: 'write', ms: 1000 }, { timeoutMs: limitMs }),
    writtenAt,
  );
  await service.untilRan('read');
  await service.untilRan('write');
  path.go();
  await wait(brokenMs);
  path.comeBack();
  const backAt = performance.now();
  const waiting = timed(read, backAt);
  const fresh = await timed(bridge.callTool('read', { key: 'fresh' }, { timeoutMs: 20_000 }), backAt);
  expect(fresh).toMatchObject({ result: { content: [{ text: 'read fresh' }] } });
  expect(fresh.ms).toBeLessThan(2000);
  const waited = await waiting;
  expect(waited).toMatchObject({ result: { content: [{ text: 'read read' }] } });
  expect(waited.ms).toBeLessThan(10_000);

  const written = await write;
  expect(written.ms).toBeLessThan(toolTimeoutMs + 1500);
  expect(['answered', 'ERR_UPSTREAM_OUTCOME_UNKNOWN']).toContain(
    written.result === undefined ? codeOf(written) : 'answered',
  );
  const { executions, handshakes } = await service.look();
  expect(executions['write']).toBe(1);
  // The service has kept the session, and so has the bridge.
  expect(handshakes).toBe(1);
}

const toolTimeoutMs = 40_000;
const patient = ['--tool-timeout-ms', String(toolTimeoutMs), '--tool-timeout-max-ms', String(toolTimeoutMs)];

describe.concurrent('behind a link', { timeout: 60_000 }, () => {
  test('BR13 RT4 loses and repeats nothing when 5 % of the packets are lost', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await withLink({ loss: 0.05 }, [], async ({ link, service, bridge }) => {
      const calls = Array.from({ length: 200 }, (_, n) => ({
        tool: n % 2 === 0 ? 'read' : 'write',
        key: `call-${n}`,
      }));
      const replies = calls.map(async ({ tool, key }, n) => {
        await wait(n * 20);
        return bridge.callTool(tool, { key }, { timeoutMs: 30_000 });
      });
      const texts = (await Promise.all(replies)).map(
        ({ result }) => (result as { content: { text: string }[] } | undefined)?.content[0]?.text,
      );
      expect(texts).toEqual(calls.map(({ tool, key }) => `${tool} ${key}`));
      const { executions, handshakes } = await service.look();
      const writes = calls.filter(({ tool }) => tool === 'write').map(({ key }) => executions[key]);
      expect(new Set(writes)).toEqual(new Set([1]));
      expect(handshakes).toBe(1);
      expect(link.lost).toBeGreaterThan(10);
    });
  });

  test('SE1 a call takes one round trip where each way takes 300 ms', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await withLink({ delayMs: 300 }, [], async ({ service, bridge }) => {
      for (let n = 0; n < 5; n += 1) {
        const { ms, result } = await timed(bridge.callTool('write', { key: `one-${n}` }));
        expect(result).toBeDefined();
        expect(ms).toBeGreaterThanOrEqual(600);
        expect(ms).toBeLessThan(1000);
      }
      const many = await Promise.all(
        Array.from({ length: 50 }, (_, n) => bridge.callTool('write', { key: `many-${n}` })),
      );
      expect(many.filter(({ result }) => result === undefined)).toEqual([]);
      const { executions, handshakes } = await service.look();
      expect(new Set(Object.values(executions))).toEqual(new Set([1]));
      expect(handshakes).toBe(1);
    });
  });

  test('RT6 SE7 RT4 goes on after its own interface was down for 20 s', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await withLink({}, patient, async (far) => {
      const path = { go: () => far.link.down('bridge'), comeBack: () => far.link.up('bridge') };
      await expectRecovery(far, 20_000, path);
    });
  });

  test('RT6 RT4 goes on after every packet had vanished for 20 s', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await withLink({}, patient, async (far) => {
      const silence = (isSilent: boolean) => (): void => void Object.assign(far.link, { isSilent });
      await expectRecovery(far, 20_000, { go: silence(true), comeBack: silence(false) });
    });
  });

  test("RT6 RT4 goes on after the service's interface was down for 5 s", async ({ skip }) => {
    skip(reason !== undefined, reason);
    await withLink({}, patient, async (far) => {
      const path = { go: () => far.link.down('service'), comeBack: () => far.link.up('service') };
      await expectRecovery(far, 5000, path);
    });
  });
});
