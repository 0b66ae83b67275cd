// The terminal of --watch: whatever ends it, it is left as it was found.
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Terminal } from '../../src/cli/terminal.ts';

class FakeStdin extends EventEmitter {
  isTTY = true;
  isRaw = false;
  isRead = false;
  setRawMode(raw: boolean): void {
    this.isRaw = raw;
  }
  resume(): void {
    this.isRead = true;
  }
  pause(): void {
    this.isRead = false;
  }
}

class FakeStdout extends EventEmitter {
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

function begin() {
  const stdin = new FakeStdin();
  const stdout = new FakeStdout();
  const calls = { quit: 0, resize: 0 };
  const terminal = new Terminal({
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    onQuit: () => (calls.quit += 1),
    onResize: () => (calls.resize += 1),
  });
  const before = process.listenerCount('SIGTERM');
  terminal.open();
  return { stdin, stdout, calls, terminal, before };
}

test('ST1 takes a screen of its own and gives it back, once', () => {
  const { stdin, stdout, terminal, before } = begin();
  expect(stdout.text).toBe('\u001b[?1049h\u001b[?25l');
  expect([stdin.isRaw, stdin.isRead]).toEqual([true, true]);
  stdout.text = '';
  terminal.close();
  terminal.close();
  expect(stdout.text).toBe('\u001b[?25h\u001b[?1049l');
  expect([stdin.isRaw, stdin.isRead, stdin.listenerCount('data')]).toEqual([false, false, 0]);
  expect([process.listenerCount('SIGTERM'), stdout.listenerCount('resize')]).toEqual([before, 0]);
});

test('draws nothing once it is given back', () => {
  const { stdout, terminal } = begin();
  terminal.draw(['a', 'b']);
  expect(stdout.text).toContain('\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J');
  terminal.close();
  stdout.text = '';
  terminal.draw(['a']);
  expect(stdout.text).toBe('');
});

test.each([
  ['q', 1],
  ['\u0003', 1],
  ['x', 0],
  ['\u001b[A', 0],
])('the key %j asks to leave %i times', (key, times) => {
  const { stdin, calls, terminal } = begin();
  stdin.emit('data', Buffer.from(key));
  terminal.close();
  expect(calls.quit).toBe(times);
});
