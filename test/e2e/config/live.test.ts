// A config file that changes under running bridges: what is taken up at once, what waits, and what a broken file does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LaunchOptions } from '../../support/bridge-process.ts';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { daemonLog } from '../../support/daemon-processes.ts';
import { hang } from '../../support/scripted-service.ts';
import { expectBridgeError, useBridge, useService } from '../../support/use.ts';

interface Place {
  readonly launch: LaunchOptions;
  readonly write: (settings: object) => void;
  readonly log: (bridge: { stderr: string }) => string;
}

function useHome(): Place {
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return {
    launch: { home, env: { MCP_BRIDGE_DAEMON: 'off' } },
    write: (settings) => writeFileSync(join(home, 'config.json'), JSON.stringify(settings)),
    log: (bridge) => bridge.stderr,
  };
}

function useDaemon(): Place {
  const home = useDaemonHome();
  return {
    launch: home.launch(),
    write: (settings) => writeFileSync(join(home.path, 'config.json'), JSON.stringify(settings)),
    log: () => daemonLog(home.path),
  };
}

describe.each([
  ["in the client's process", useHome],
  ['in the background process', useDaemon],
] as const)('CF5 %s', (_where, place) => {
  test('a setting that is safe to change is taken up within seconds, and the others wait', async () => {
    const service = await useService();
    const { launch, write, log } = place();
    write({ toolTimeoutMs: 60_000, maxConnections: 10 });
    const bridge = await useBridge(service, launch);
    await bridge.initialize();
    service.always({ rpc: 'tools/call' }, hang);
    write({ toolTimeoutMs: 300, maxConnections: 11 });
    await expect
      .poll(() => log(bridge), { timeout: 10_000 })
      .toMatch(/config\.changed taken up: toolTimeoutMs; waiting for the next launch: maxConnections/);
    const startedAt = performance.now();
    const reply = await bridge.callTool('read', {}, { timeoutMs: 15_000 });
    expect(expectBridgeError(reply)).toMatch(/^ERR_/);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(service.record.handshakes).toBe(1);
  });

  test('a file that is broken for the moment changes nothing, and is said', async () => {
    const service = await useService();
    const { launch, write, log } = place();
    write({ toolTimeoutMs: 60_000 });
    const bridge = await useBridge(service, launch);
    await bridge.initialize();
    write({ toolTimeoutMs: 5 });
    await expect
      .poll(() => log(bridge), { timeout: 10_000 })
      .toMatch(/config\.changed not taken up: "toolTimeoutMs" in .* is 5, but it must be/);
    expect((await bridge.callTool('read')).error).toBeUndefined();
    write({ toolTimeoutMs: 60_000, logLevel: 'debug' });
    await expect.poll(() => log(bridge), { timeout: 10_000 }).toContain('taken up: logLevel');
    await bridge.callTool('read');
    await expect.poll(() => log(bridge), { timeout: 5000 }).toMatch(/request\.settled tools\/call answered/);
  });
});
