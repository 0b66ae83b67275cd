// Fixtures that end with the test that asked for them, however it ends.
import { expect, onTestFinished } from 'vitest';
import type { Clock } from '../../src/platform/clock.ts';
import { BridgeProcess, type LaunchOptions } from './bridge-process.ts';
import { startControlServer, type ControlServer } from './control-server.ts';
import { ScriptedService, type ServiceOptions } from './scripted-service.ts';

export async function useService(options: Partial<ServiceOptions> = {}): Promise<ScriptedService> {
  const service = await ScriptedService.start(options);
  onTestFinished(() => service.close());
  return service;
}

/** A bridge to this service or URL. At the end of every test, whatever it was about, stdout must have been clean (BR9). */
export async function useBridge(
  target: ScriptedService | string,
  options: LaunchOptions = {},
): Promise<BridgeProcess> {
  const bridge = await BridgeProcess.launch(typeof target === 'string' ? target : target.url, options);
  onTestFinished(async () => {
    await bridge[Symbol.asyncDispose]();
    expectCleanStdout(bridge);
  });
  return bridge;
}

/** The daemon's interface for the bridge of this home. */
export async function useControlServer(home: string, clock?: Clock): Promise<ControlServer> {
  const server = await startControlServer(home, clock);
  onTestFinished(() => server.close());
  return server;
}

export interface Bridged {
  service: ScriptedService;
  bridge: BridgeProcess;
}

/** A service and a bridge to it whose client has shaken hands, and whose GET stream (where offered) is open. */
export async function useBridged(
  options: {
    service?: Partial<ServiceOptions>;
    launch?: LaunchOptions;
    client?: Parameters<BridgeProcess['initialize']>[0];
  } = {},
): Promise<Bridged> {
  const service = await useService(options.service);
  const bridge = await useBridge(service, options.launch);
  await bridge.initialize(options.client);
  if (service.options.getStream && service.options.legacyPath === undefined) {
    await service.until(() => service.openGetStreams > 0);
  }
  return { service, bridge };
}

/** Nothing but JSON-RPC messages left the bridge: each line an object (or a batch) that says it is JSON-RPC 2.0. */
export function expectCleanStdout(bridge: BridgeProcess): void {
  expect(bridge.strayLines.map((line) => line.toString())).toEqual([]);
  expect(bridge.messages.filter((message) => (message as { jsonrpc?: unknown }).jsonrpc !== '2.0')).toEqual(
    [],
  );
}

/** Each of these requests got exactly one reply (BR13). */
export function expectOneReplyEach(bridge: BridgeProcess, ids: readonly unknown[]): void {
  const odd = ids.map((id) => [id, bridge.repliesTo(id).length]).filter(([, count]) => count !== 1);
  expect(odd).toEqual([]);
}

/** The reply is an error of the bridge's own, made for programs and for people: returns its code. */
export function expectBridgeError(reply: { error?: { message: string; data?: unknown } }): string {
  expect(reply).toMatchObject({
    error: {
      message: expect.any(String),
      data: {
        code: expect.stringMatching(/^ERR_[A-Z_]+$/),
        retryable: expect.any(Boolean),
        remedy: expect.any(String),
      },
    },
  });
  return (reply.error!.data as { code: string }).code;
}
