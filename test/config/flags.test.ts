// The command line of `run`, where it cannot be used: nothing starts, and stderr says why.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { run } from '../../src/front/in-process.ts';

/** The exit code, and what a person reads. */
async function refuse(...argv: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  const code = await run(argv, 'a test');
  spy.mockRestore();
  return { code, text: lines.join('') };
}

const url = 'https://service.example/mcp';

describe('CF2 a command line', () => {
  test.each([
    ['no service', [], 'Which service?'],
    ['two services', [url, url], 'One service at a time'],
    ['a service that is neither URL nor profile', ['service.example'], 'no profile "service.example"'],
    ['a value that is no number', [url, '--request-timeout-ms', 'soon'], '--request-timeout-ms is "soon"'],
    ['a value out of range', [url, '--max-in-flight=0'], 'a whole number from 1 to'],
    ['a flag without its value', [url, '--request-timeout-ms'], '--request-timeout-ms needs a value'],
    ['a switch with a value that is none', [url, '--allow-http=maybe'], 'true or false'],
    ['a header with its value', [url, '--header', 'X=1'], 'NAME=env:VARIABLE'],
  ])('with %s is refused', async (_what, argv, message) => {
    const { code, text } = await refuse(...argv);
    expect(code).toBe(2);
    expect(text).toMatch(/^mcp-bridge: /);
    expect(text).toContain(message);
  });

  test.each([
    ['--request-timeout', '--request-timeout-ms'],
    ['--max-inflight', '--max-in-flight'],
    ['--headers', '--header'],
    ['--allow_http', '--allow-http'],
    ['--Log-Level', '--log-level'],
  ])('with the unknown flag %s is refused, and %s is named', async (flag, nearest) => {
    const { code, text } = await refuse(url, flag, '1');
    expect(code).toBe(2);
    expect(text).toContain(`Unknown option ${flag}. Did you mean ${nearest}?`);
  });

  test.each(['--colour', '--__proto__', '-x'])(
    'with a flag like no other is refused without a guess: %s',
    async (flag) => {
      const { code, text } = await refuse(url, flag);
      expect(code).toBe(2);
      expect(text).toContain(`Unknown option ${flag}.`);
      expect(text).not.toContain('Did you mean');
    },
  );
});
