// Two versions side by side: the newer one takes over, and nobody's request is lost on the way.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LaunchOptions } from '../../support/bridge-process.ts';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { heldUntil } from '../../support/scripted-service.ts';
import { expectOneReplyEach, useBridge, useService } from '../../support/use.ts';

const root = resolve(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The built program as if it were of another version. */
function useVersion(other: string): LaunchOptions {
  const copy = mkdtempSync(join(tmpdir(), 'mcp-bridge-version-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  for (const folder of ['bin', 'dist/app'])
    cpSync(join(root, folder), join(copy, folder), { recursive: true });
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  const changed: string[] = [];
  for (const name of readdirSync(join(copy, 'dist/app')).filter((file) => file.endsWith('.cjs'))) {
    const file = join(copy, 'dist/app', name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(`"${version}"`)) continue;
    changed.push(name);
    writeFileSync(file, text.replaceAll(`"${version}"`, `"${other}"`));
  }
  expect(changed).toContain('serve.cjs');
  // That of the front, wherever the build puts it.
  expect(changed.length).toBeGreaterThan(1);
  return { program: [process.execPath, join(copy, 'bin/mcp-bridge.js'), 'run'] };
}

test(
  'DM5 a newer front replaces the daemon, and no request of the older front is lost',
  { timeout: 40_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const older = await useBridge(service, home.launch());
    await older.initialize();
    const { pid: oldPid } = await home.facts();
    let answer: () => void = () => {};
    const held = new Promise<void>((done) => (answer = done));
    service.once({ tool: 'write', key: 'long' }, heldUntil(held));
    older.send({
      jsonrpc: '2.0',
      id: 'long',
      method: 'tools/call',
      params: { name: 'write', arguments: { key: 'long' } },
    });
    await service.until(() => service.record.of('tools/call').length === 1);

    const newer = await useBridge(service, home.launch(useVersion('99.0.0')));
    await newer.initialize();
    expect(await home.facts()).toMatchObject({ version: '99.0.0' });
    expect(newer.stderr).toBe('');
    // The older front has moved, while its call still runs where it began.
    await home.until(async () => (await home.facts()).clients === 2);
    expect((await older.callTool('write', { key: 'new' })).result).toBeDefined();
    expect(home.pids()).toContain(oldPid);
    expect(older.repliesTo('long')).toEqual([]);

    answer();
    expect((await older.reply('long')).result).toBeDefined();
    await home.until(() => !home.pids().includes(oldPid));
    expect(service.record.executions.get('long')).toBe(1);
    expect(service.record.executions.get('new')).toBe(1);
    expectOneReplyEach(older, ['long']);
  },
);

test('DM5 an older front is content with a newer daemon', { timeout: 30_000 }, async () => {
  const service = await useService();
  const home = useDaemonHome();
  const newer = await useBridge(service, home.launch());
  await newer.initialize();
  const { pid } = await home.facts();
  const older = await useBridge(service, home.launch(useVersion('0.0.1')));
  await older.initialize();
  expect(await home.facts()).toMatchObject({ pid, clients: 2 });
});

test(
  'DM5 DM4 killed during the hand-over, the older daemon leaves nobody without an answer',
  { timeout: 40_000 },
  async () => {
    const service = await useService();
    const home = useDaemonHome();
    const older = await useBridge(service, home.launch());
    await older.initialize();
    await older.request('tools/list');
    const { pid: oldPid } = await home.facts();
    // The read, and its second try where the newer daemon takes long to start: the older one must have something to wait for.
    const killed = Promise.withResolvers<void>();
    for (let tries = 0; tries < 2; tries += 1)
      service.once({ tool: 'read', key: 'r' }, heldUntil(killed.promise));
    older.send({
      jsonrpc: '2.0',
      id: 'r',
      method: 'tools/call',
      params: { name: 'read', arguments: { key: 'r' } },
    });
    await service.until(() => service.record.of('tools/call').length === 1);
    const newer = await useBridge(service, home.launch(useVersion('99.0.0')));
    await newer.initialize();
    process.kill(oldPid, 'SIGKILL');
    killed.resolve();
    expect((await older.reply('r', 10_000)).result).toBeDefined();
    expectOneReplyEach(older, ['r']);
    expect(await home.facts()).toMatchObject({ version: '99.0.0' });
  },
);

test.each([
  ['the older', 0],
  ['the older', 30],
  ['the older', 120],
  ['the newer', 0],
  ['the newer', 60],
] as const)(
  'DM5 DM4 %s daemon is killed %i ms after the newer has come: each request gets one reply, and no write runs twice',
  { timeout: 60_000 },
  async (which, ms) => {
    const service = await useService();
    const home = useDaemonHome();
    const older = await useBridge(service, home.launch());
    await older.initialize();
    await older.request('tools/list');
    const { pid: oldPid } = await home.facts();
    const kinds = ['read', 'write'] as const;
    const call = (name: string, key: string): void =>
      older.send({
        jsonrpc: '2.0',
        id: key,
        method: 'tools/call',
        params: { name, arguments: { key, ms: 80 } },
      });
    const keys: string[] = [];
    const callAll = (round: string): void => {
      for (const kind of kinds) {
        keys.push(`${kind}-${round}`);
        call(kind, `${kind}-${round}`);
      }
    };
    callAll('before');
    const newer = await useBridge(service, home.launch(useVersion('99.0.0')));
    newer.send({ jsonrpc: '2.0', id: 'hello', method: 'initialize', params: INITIALIZE });
    await home.until(() => home.pids().some((pid) => pid !== oldPid), 15_000);
    callAll('during');
    await new Promise((resolve) => setTimeout(resolve, ms));
    const doomed = home.pids().filter((pid) => (pid === oldPid) === (which === 'the older'));
    for (const pid of doomed) process.kill(pid, 'SIGKILL');
    callAll('after');
    expect((await newer.reply('hello', 15_000)).result).toBeDefined();
    await Promise.all(keys.map((key) => older.reply(key, 15_000)));
    expectOneReplyEach(older, keys);
    const written = keys.map((key) => [key, service.record.executions.get(key) ?? 0] as const);
    expect(written.filter(([key, times]) => key.startsWith('write') && times > 1)).toEqual([]);
    // Both get through to one daemon in the end.
    for (const bridge of [older, newer])
      expect((await bridge.callTool('read', {}, { timeoutMs: 15_000 })).result).toBeDefined();
    await home.until(() => home.pids().length === 1, 15_000);
  },
);

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw-client', version: '1' },
};
