// What a client hears at launch: from the live session, from what is known, or from the stand-in, through the real program.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { BridgeProcess } from '../../support/bridge-process.ts';
import { delayed, ScriptedService } from '../../support/scripted-service.ts';
import { errorCode } from './requests.ts';
import { fairMs } from '../../support/fair-time.ts';

const START = { timeoutMs: 15_000 };
const clientInfo = { name: 'raw-client', version: '1.0.0' };
const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };

async function useHome(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'mcp-bridge-home-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A launch that learns what there is to know. */
async function learn(service: ScriptedService, home: string): Promise<void> {
  await using bridge = await BridgeProcess.launch(service.url, { home });
  await bridge.request('initialize', hello, START);
  for (const list of ['tools/list', 'prompts/list', 'resources/list']) await bridge.request(list, {}, START);
  await bridge.close();
}

async function cacheFiles(home: string): Promise<string[]> {
  const all = await readdir(home, { recursive: true });
  return all.filter((path) => /answers[/\\][^/\\]+\.json$/.test(path)).map((path) => join(home, path));
}

describe.concurrent('a launch', { timeout: 60_000 }, () => {
  test('HS1 is answered from what is known, while the handshake goes on behind it', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.always({ rpc: 'initialize' }, delayed(3000));
    await using bridge = await BridgeProcess.launch(service.url, { home: home.path });
    const from = performance.now();
    const answer = await bridge.request('initialize', hello, START);
    expect(fairMs(from)).toBeLessThan(2500);
    expect(answer.result).toMatchObject({ serverInfo: { name: 'scripted-service' } });
    expect(await bridge.callTool('write', { key: 'w' }, START)).toHaveProperty('result');
    expect(service.record.handshakes).toBe(2);
    // Nothing differs, so there is nothing to announce.
    expect(bridge.messages.filter(({ method }) => method?.endsWith('list_changed'))).toEqual([]);
  });

  test('HS2 with the service down, a known one is served from the last copy', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.stop();
    await using bridge = await BridgeProcess.launch(service.url, {
      home: home.path,
      args: ['--outage-patience-ms', '500'],
    });
    const from = performance.now();
    expect(await bridge.request('initialize', hello, START)).toHaveProperty('result');
    const tools = await bridge.request('tools/list', {}, START);
    expect(JSON.stringify(tools.result)).toContain('"write"');
    expect(await bridge.request('prompts/list', {}, START)).toHaveProperty('result.prompts.0');
    expect(await bridge.request('resources/list', {}, START)).toHaveProperty('result.resources.0');
    expect(fairMs(from)).toBeLessThan(6000);
    const call = await bridge.callTool('write', { key: 'w' }, START);
    expect(errorCode(call)).toBe('ERR_UPSTREAM_UNREACHABLE');
    expect(bridge.hasExited).toBe(false);
  });

  test('HS2 with the service down and nothing known, a stand-in says what is wrong, and gives way', async ({
    expect,
  }) => {
    await using service = await ScriptedService.start();
    service.stop();
    await using bridge = await BridgeProcess.launch(service.url, {
      args: ['--initialize-timeout-ms', '800'],
    });
    const from = performance.now();
    const answer = await bridge.request('initialize', hello, START);
    expect(performance.now() - from).toBeGreaterThan(700);
    expect(fairMs(from)).toBeLessThan(4000);
    expect(answer.result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'mcp-bridge' },
    });
    bridge.notify('notifications/initialized');
    const tools = await bridge.request('tools/list', {}, START);
    expect((tools.result as { tools: { name: string }[] }).tools.map(({ name }) => name)).toEqual([
      'mcp_bridge_status',
    ]);
    const status = await bridge.callTool('mcp_bridge_status', {}, START);
    expect(JSON.stringify(status.result)).toMatch(/127\.0\.0\.1.*ECONNREFUSED/);
    await service.comeBack();
    await bridge.next(({ method }) => method === 'notifications/tools/list_changed', 15_000);
    expect(await bridge.callTool('write', { key: 'w' }, START)).toHaveProperty('result');
    expect(service.record.handshakes).toBe(1);
  });

  test('HS2 once the service is there, its tools take the place of the stand-in', async ({ expect }) => {
    await using service = await ScriptedService.start();
    service.stop();
    await using bridge = await BridgeProcess.launch(service.url, {
      args: ['--initialize-timeout-ms', '500'],
    });
    await bridge.request('initialize', hello, START);
    await service.comeBack();
    await bridge.next(({ method }) => method === 'notifications/tools/list_changed', 15_000);
    const real = await bridge.request('tools/list', {}, START);
    expect(JSON.stringify(real.result)).toContain('"write"');
    expect(JSON.stringify(real.result)).not.toContain('mcp_bridge_status');
  });

  test('HS3 a service that introduces itself otherwise than before is announced', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.options.initializeResult = {
      ...service.options.initializeResult,
      serverInfo: { name: 'scripted-service', version: '2.0.0' },
    };
    await using bridge = await BridgeProcess.launch(service.url, { home: home.path });
    const answer = await bridge.request('initialize', hello, START);
    expect(answer.result).toMatchObject({ serverInfo: { version: '1.0.0' } });
    for (const what of ['tools', 'prompts', 'resources'])
      await bridge.next(({ method }) => method === `notifications/${what}/list_changed`, 10_000);
  });

  test('HS3 a list that was served from the copy and is another now is announced', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.stop();
    await using bridge = await BridgeProcess.launch(service.url, { home: home.path });
    await bridge.request('initialize', hello, START);
    await bridge.request('tools/list', {}, START);
    await bridge.request('prompts/list', {}, START);
    service.always({ rpc: 'tools/list' }, (exchange) =>
      exchange.respondJson(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{"tools":[]}}`),
    );
    await service.comeBack();
    await bridge.next(({ method }) => method === 'notifications/tools/list_changed', 15_000);
    expect((await bridge.request('tools/list', {}, START)).result).toEqual({ tools: [] });
    expect(bridge.messages.some(({ method }) => method === 'notifications/prompts/list_changed')).toBe(false);
  });

  test('HS3 a list comes from the service while it is there, whatever is known of it', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.always({ rpc: 'tools/list' }, (exchange) =>
      exchange.respondJson(`{"jsonrpc":"2.0","id":${exchange.idText},"result":{"tools":[]}}`),
    );
    await using bridge = await BridgeProcess.launch(service.url, { home: home.path });
    await bridge.request('initialize', hello, START);
    await service.until(() => service.openGetStreams === 1);
    expect((await bridge.request('tools/list', {}, START)).result).toEqual({ tools: [] });
    expect((await bridge.request('tools/list', {}, START)).result).toEqual({ tools: [] });
  });

  test.for([
    { what: 'cut off', change: (text: string) => text.slice(0, text.length / 2) },
    { what: 'of another version', change: (text: string) => text.replace('"format":1', '"format":999') },
    { what: 'no JSON', change: () => '\u0000\u0001 not this' },
    { what: 'empty', change: () => '' },
    { what: 'of another shape', change: () => '{"format":1,"pages":{"tools/list":"[1]"},"initialize":"7"}' },
  ])('HS1 a cache file that is $what is ignored and replaced', async ({ change }, { expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    const [file, ...others] = await cacheFiles(home.path);
    expect(others).toEqual([]);
    const good = await readFile(file!, 'utf8');
    await writeFile(file!, change(good));
    await learn(service, home.path);
    expect(JSON.parse(await readFile(file!, 'utf8'))).toEqual(JSON.parse(good));
    expect(service.record.handshakes).toBe(2);
  });

  test('HS1 a client of another kind is not served what this one was told', async ({ expect }) => {
    await using home = await useHome();
    await using service = await ScriptedService.start();
    await learn(service, home.path);
    service.stop();
    await using bridge = await BridgeProcess.launch(service.url, {
      home: home.path,
      args: ['--initialize-timeout-ms', '500'],
    });
    const other = { ...hello, capabilities: { sampling: {} } };
    const answer = await bridge.request('initialize', other, START);
    expect(answer.result).toMatchObject({ serverInfo: { name: 'mcp-bridge' } });
  });
});
