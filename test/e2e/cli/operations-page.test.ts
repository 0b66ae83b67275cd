// What docs/operations.md tells people to type at the daemon's interface, typed.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { useDaemonHome } from '../../support/daemon-home.ts';
import { needsTools } from '../../support/needs.ts';
import { useBridge, useService } from '../../support/use.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/operations.md'), 'utf8');

test(
  'ST2 SC3 the lines of the page work with curl as they stand there',
  { timeout: 60_000 },
  async (context) => {
    needsTools(context, 'bash', 'curl');
    const block = /## The daemon's interface[^]*?```sh\n([^]*?)```/.exec(page)?.[1] ?? '';
    const [functions = '', calls = ''] = block.split('\n\n');
    const lines = calls.trim().split('\n');
    expect(lines).toHaveLength(7);
    const home = useDaemonHome();
    const bridge = await useBridge(await useService(), home.launch());
    await bridge.initialize();
    expect((await bridge.callTool('echo', { value: 1 })).result).toBeDefined();
    const type = async (line: string): Promise<string> => {
      const run = `run=${home.paths.runtimeDir}`;
      // A stream has no end; two seconds of it are enough.
      const limited = line.includes('/events') ? `curl() { timeout 2 curl "$@"; }\n${line}\ntrue` : line;
      const script = `${functions.replace(/^run=.*$/m, run)}\n${limited.replace('SESSION', 's1')}`;
      return (await promisify(execFile)('bash', ['-c', script])).stdout;
    };
    const said: string[] = [];
    for (const line of lines) {
      const answer = type(line);
      if (line.includes('/events')) await bridge.callTool('echo', { value: 2 });
      said.push(await answer);
    }
    const [status, stats, metrics, events, cleanup, reset, shutdown] = said;
    expect(JSON.parse(status ?? '')).toMatchObject({ health: 'healthy', daemon: { clients: 1 } });
    expect(JSON.parse(stats ?? '')).toMatchObject({ sessions: [{ id: 's1', clients: 1 }] });
    expect(metrics).toContain('mcp_bridge_requests_total{');
    expect(events).toMatch(/^: events of mcp-bridge\n/);
    expect(JSON.parse(cleanup ?? '')).toEqual({ ended: 0 });
    expect(JSON.parse(reset ?? '')).toEqual({ session: 's1' });
    expect(JSON.parse(shutdown ?? '')).toMatchObject({ clients: 1 });
    await home.until(() => home.pids().length === 0);
  },
);
