// The process fixture, with small programs in the bridge's place.
import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { BridgeProcess, type LaunchOptions } from './bridge-process.ts';
import { expectBridgeError, expectCleanStdout, expectOneReplyEach } from './use.ts';

/** Launches `source` as a program whose first argument is the target. */
async function launch(source: string, options: LaunchOptions = {}): Promise<BridgeProcess> {
  const program = [process.execPath, '-e', source] as const;
  const bridge = await BridgeProcess.launch('target', { ...options, program: [...program] });
  onTestFinished(() => bridge[Symbol.asyncDispose]());
  return bridge;
}

const echo = 'process.stdin.pipe(process.stdout)';
const answerAll = `
  let rest = '';
  process.stdin.on('data', (text) => {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    for (const line of lines) {
      const { id } = JSON.parse(line);
      if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: {} }) + '\\n');
    }
  });`;

test('keeps each line byte for byte, however it arrives', async () => {
  const bridge = await launch(echo);
  bridge.send('{"b":1.50,  "a":"\\u0041é"}');
  bridge.send(Buffer.from([0x7b, 0xff, 0x7d]));
  bridge.write('{"jsonrpc":');
  bridge.write('"2.0"}\n{"unfinished"');
  expect((await bridge.close()).code).toBe(0);
  expect(bridge.lines).toEqual([
    Buffer.from('{"b":1.50,  "a":"\\u0041é"}'),
    Buffer.from([0x7b, 0xff, 0x7d]),
    Buffer.from('{"jsonrpc":"2.0"}'),
  ]);
  expect(bridge.strayLines).toEqual([Buffer.from([0x7b, 0xff, 0x7d])]);
  expect(bridge.stdout.toString().endsWith('}\n{"unfinished"')).toBe(true);
});

test('matches replies by the id as it is written', async () => {
  const bridge = await launch(answerAll);
  expect(await bridge.request('ping', {}, { id: 'a' })).toEqual({ jsonrpc: '2.0', id: 'a', result: {} });
  expect((await bridge.initialize()).result).toEqual({});
  bridge.send({ jsonrpc: '2.0', id: 5, method: 'x' });
  bridge.send({ jsonrpc: '2.0', id: '5', method: 'x' });
  await bridge.reply('5');
  expect(bridge.repliesTo(5)).toHaveLength(1);
  expectOneReplyEach(bridge, ['a', 5, '5']);
  expect(() => expectOneReplyEach(bridge, ['never'])).toThrow();
  expectCleanStdout(bridge);
});

test('knows the exit, and says what there was when a wait ends without what it waited for', async () => {
  const bridge = await launch('console.error("why"); console.log(`{"last":1}`); process.exitCode = 3;');
  await expect(bridge.reply(1)).rejects.toThrow(/exited with 3[^]*"last"[^]*why/);
  expect(await bridge.exit()).toMatchObject({ code: 3, signal: null });

  const silent = await launch('setInterval(() => {}, 1000)');
  await expect(silent.reply(1, 20)).rejects.toThrow(/Not within 20 ms/);
  expect(await silent.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('tells stray output from messages', async () => {
  const bridge = await launch('console.log("Starting…"); console.log(`{"id":1}`)');
  await bridge.exit();
  expect(bridge.strayLines).toHaveLength(1);
  expect(() => expectCleanStdout(bridge)).toThrow();
});

test('a paused client reads nothing until it goes on', async () => {
  const source = 'console.log("{}"); console.error("written"); setInterval(() => {}, 1000)';
  const bridge = await launch(source, { paused: true });
  await expect.poll(() => bridge.stderr).toBe('written\n');
  expect(bridge.lines).toHaveLength(0);
  bridge.resumeReading();
  await bridge.next(() => true);
  bridge.pauseReading();
  expect((await bridge.kill('SIGKILL')).signal).toBe('SIGKILL');
});

test('a closed stdout fails what is written next', async () => {
  const bridge = await launch(
    'process.stdout.on("error", ({ code }) => process.exit(code === "EPIPE" ? 7 : 8)); setInterval(() => console.log(1), 5)',
  );
  bridge.closeStdout();
  expect((await bridge.exit()).code).toBe(7);
});

test('gives each launch a home of its own and removes it, with the process', async () => {
  const source =
    'console.log(JSON.stringify({ home: process.env.MCP_BRIDGE_HOME })); setInterval(() => {}, 1000)';
  const bridge = await launch(source);
  const { home } = (await bridge.next(() => true)) as { home: string };
  expect(existsSync(home)).toBe(true);
  await bridge[Symbol.asyncDispose]();
  expect(existsSync(home)).toBe(false);
  expect(() => process.kill(bridge.pid, 0)).toThrow(/ESRCH/);
});

test.runIf(process.platform === 'linux')('measures peak memory', async () => {
  const bridge = await launch('Buffer.alloc(200e6, 1); console.log("{}"); setInterval(() => {}, 1000)');
  await bridge.next(() => true);
  expect(bridge.peakMemory()).toBeGreaterThan(200e6);
});

test('an error of the bridge has a code, a remedy and says whether to try again', () => {
  const data = { code: 'ERR_X_Y', retryable: true, remedy: 'Do this.' };
  expect(expectBridgeError({ error: { message: 'No.', data } })).toBe('ERR_X_Y');
  expect(() => expectBridgeError({ error: { message: 'No.', data: { ...data, code: 'oops' } } })).toThrow();
});
