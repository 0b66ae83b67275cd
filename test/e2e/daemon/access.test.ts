// Who may talk to the daemon, and what it does with those who talk badly.
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { useDaemonHome, type DaemonHome } from '../../support/daemon-home.ts';
import { useBridge, useService } from '../../support/use.ts';

async function useDaemon(args: readonly string[] = []): Promise<DaemonHome> {
  const home = useDaemonHome();
  const bridge = await useBridge(await useService(), home.launch({ args }));
  await bridge.initialize();
  return home;
}

/** Everything that the daemon says to these bytes until it hangs up, or for a moment. */
function exchange(home: DaemonHome, bytes: string, ms = 500): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(home.socket);
    socket.on('data', (chunk) => (text += String(chunk))).on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(bytes);
    setTimeout(() => socket.destroy(), ms);
  });
}

const head = (secret: string, more = ''): string =>
  `GET /attach HTTP/1.1\r\nHost: mcp-bridge\r\nConnection: Upgrade\r\nUpgrade: mcp-bridge\r\nAuthorization: Bearer ${secret}\r\n${more}\r\n`;

test('DM7 socket, secret and lock are the user’s alone', async () => {
  const home = await useDaemon();
  const mode = (path: string): number => statSync(path).mode & 0o777;
  expect(mode(home.paths.runtimeDir)).toBe(0o700);
  expect(mode(home.socket)).toBe(0o600);
  expect(mode(`${home.paths.runtimeDir}/daemon.secret`)).toBe(0o600);
  expect(mode(`${home.paths.runtimeDir}/daemon.lock`)).toBe(0o600);
});

test.each([
  ['no secret', null],
  ['a wrong secret', 'f'.repeat(64)],
  ['a secret that is too short', 'f'],
])('DM7 SC3 with %s nothing can be asked', async (_what, secret) => {
  const home = await useDaemon();
  for (const [method, path] of [
    ['GET', '/status'],
    ['GET', '/metrics'],
    ['GET', '/events'],
    ['POST', '/shutdown'],
  ] as const)
    expect((await home.ask(path, { method, secret })).status).toBe(401);
  expect(await exchange(home, head(secret ?? ''))).toMatch(/^HTTP\/1\.1 401 /);
  expect((await home.facts()).clients).toBe(1);
});

test('SC3 what a browser sends is refused, secret or not', async () => {
  const home = await useDaemon();
  expect((await home.ask('/status', { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  expect((await home.ask('/status', { headers: { host: 'evil.example' } })).status).toBe(403);
  expect(await exchange(home, head(home.secret, 'Origin: null\r\n'))).toMatch(/^HTTP\/1\.1 403 /);
});

test('ST2 the control routes answer, and say what they do not take', async () => {
  const home = await useDaemon();
  expect((await home.ask('/pool/stats')).status).toBe(200);
  expect((await home.ask('/metrics')).status).toBe(200);
  expect((await home.ask('/nothing')).status).toBe(404);
  expect((await home.ask('/status', { method: 'POST' })).status).toBe(405);
  expect((await home.ask('/sessions/none/reset', { method: 'POST' })).status).toBe(404);
});

test.each([
  ['no launch at all', '', ''],
  ['half a launch', '{"argv":', ''],
  ['a launch that is not JSON', 'hello\n', '400'],
  ['a launch of another shape', '{"argv":"x","env":{}}\n', '400'],
  ['a launch without an end', 'x'.repeat(600_000), '408'],
  ['a launch that no configuration fits', '{"argv":["nowhere"],"env":{}}\n', '400'],
  [
    'a header without its variable',
    '{"argv":["https://a.example/","--header","X=env:NOPE"],"env":{}}\n',
    '428',
  ],
])('DM6 SC4 %s disturbs nobody', async (_what, launch, status) => {
  const home = await useDaemon();
  const said = await exchange(home, head(home.secret) + launch);
  expect(said.split(' ')[1] ?? '').toBe(status);
  expect(await home.facts()).toMatchObject({ clients: 1, faults: 0 });
});

test('SC4 a client that goes at any byte of attaching leaves nothing behind', async () => {
  const home = await useDaemon();
  const bytes = `${head(home.secret)}{"argv":["http://127.0.0.1:9/mcp"],"env":{}}\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n`;
  for (let length = 0; length <= bytes.length; length += 9) {
    await new Promise<void>((resolve) => {
      const socket = connect(home.socket, () => {
        socket.write(bytes.slice(0, length), () => {
          socket.destroy();
          resolve();
        });
      });
      socket.on('error', () => resolve());
    });
  }
  await home.until(async () => (await home.facts()).clients === 1);
  expect(await home.facts()).toMatchObject({ faults: 0, state: 'serving' });
});

test('CF2 a command line that cannot be used ends the front with 2 and says why', async () => {
  const home = useDaemonHome();
  const bridge = await useBridge('nowhere', home.launch());
  expect(await bridge.exit()).toMatchObject({ code: 2 });
  expect(bridge.stderr).toContain('no profile "nowhere"');
});

test('AU5 a header takes its value from the environment of the front, not of the daemon', async () => {
  const service = await useService();
  const home = useDaemonHome();
  const args = ['--header', 'X-Team=env:TEAM'];
  for (const TEAM of ['red', 'blue']) {
    const bridge = await useBridge(service, home.launch({ args, env: { TEAM } }));
    await bridge.initialize();
  }
  await service.until(() => service.record.of('initialize').length === 2);
  const teams = service.record.of('initialize').map(({ headers }) => headers['x-team']);
  expect(teams).toEqual(['red', 'blue']);
});
