// The errors that the bridge gives to clients, and the page that explains them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AUTH_REMEDIES } from '../../src/auth/auth-error.ts';
import { ConfigError } from '../../src/config/resolve.ts';
import { ERROR_KINDS, errorReply, type ErrorCode } from '../../src/protocol/errors.ts';

const codes = Object.keys(ERROR_KINDS) as ErrorCode[];

interface Line {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly error: { code: number; message: string; data: Record<string, unknown> };
}

function reply(...args: Parameters<typeof errorReply>): Line {
  return JSON.parse(errorReply(...args).toString()) as Line;
}

describe('BR12 an error of the bridge', () => {
  test.each(codes)('%s has a stable code, a number for JSON-RPC, and says what to do', (code) => {
    const { rpcCode, retryable, remedy } = ERROR_KINDS[code];
    expect(code).toMatch(
      /^ERR_(CLIENT|UPSTREAM|PROXY|NETWORK|SESSION|AUTH|KEYCHAIN|STORE|CONFIG|BRIDGE)_[A-Z_]+$/,
    );
    // The numbers of JSON-RPC 2.0 (section 5.1), or one of its range for servers.
    expect([-32700, -32600, -32601, -32602, -32603, -32050]).toContain(rpcCode);
    expect(remedy).toMatch(/^[A-Z].*[^ ]\.$/);
    expect(reply('7', { code, message: 'It went wrong.' })).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: rpcCode, message: `It went wrong. ${remedy}`, data: { code, retryable, remedy } },
    });
  });

  test('that is the fault of the client has a number of JSON-RPC, and is not worth trying again but for one', () => {
    const client = codes.filter((code) => code.startsWith('ERR_CLIENT_'));
    expect(client.filter((code) => ERROR_KINDS[code].rpcCode === -32050)).toEqual([
      'ERR_CLIENT_TOO_MANY_REQUESTS',
    ]);
    expect(client.filter((code) => ERROR_KINDS[code].retryable)).toEqual(['ERR_CLIENT_TOO_MANY_REQUESTS']);
  });

  test('RT4 never invites to repeat a call whose outcome is unknown', () => {
    expect(ERROR_KINDS.ERR_UPSTREAM_OUTCOME_UNKNOWN.retryable).toBe(false);
    expect(ERROR_KINDS.ERR_UPSTREAM_OUTCOME_UNKNOWN.remedy).toMatch(/before you try/);
  });

  test.each(['7', '"a"', '1.50', '12345678901234567890', '"\\u0061"', null])(
    'BR3 goes under the id as it is written: %s',
    (id) => {
      const line = errorReply(id, { code: 'ERR_SESSION_LOST', message: 'It is gone.' }).toString();
      expect(line).toContain(`"id":${id},`);
    },
  );

  test('is one line, whatever its message holds', () => {
    const message = 'a\nb\r"c\u2028\u0000';
    const line = errorReply('1', { code: 'ERR_BRIDGE_INTERNAL', message }).toString();
    expect(line).not.toMatch(/[\r\n]/);
    expect((JSON.parse(line) as Line).error.message).toContain(message);
  });

  test('keeps its cause to itself', () => {
    const failure = {
      code: 'ERR_BRIDGE_INTERNAL',
      message: 'It went wrong.',
      cause: new Error('secret'),
    } as const;
    expect(errorReply('1', failure).toString()).not.toContain('secret');
  });

  test('may have another remedy than its kind, and say since when', () => {
    const failure = {
      code: 'ERR_UPSTREAM_UNREACHABLE',
      message: 'It is away.',
      remedy: 'Wait.',
      since: '2026-01-01T00:00:00.000Z',
    } as const;
    expect(reply('1', failure).error).toMatchObject({
      message: 'It is away. Wait.',
      data: { remedy: 'Wait.', since: failure.since },
    });
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
  const sections = page.split(/^### /m).slice(1);
  const titleOf = (section: string): string => /^`(.*)`$/m.exec(section)?.[1] ?? section;

  test('explains exactly the codes that there are, each once', () => {
    const all = new Set([...codes, ...Object.keys(AUTH_REMEDIES), new ConfigError('').code]);
    expect(sections.map(titleOf).toSorted()).toEqual([...all].toSorted());
  });

  test.each(codes)('tells of %s its number, whether to try again, what it means and what to do', (code) => {
    const section = sections.find((each) => titleOf(each) === code) ?? '';
    const { rpcCode, retryable } = ERROR_KINDS[code];
    const [, facts, meaning, remedy] = section.split('\n\n');
    expect(facts).toBe(`${rpcCode} · ${retryable ? '' : 'not '}retryable`);
    expect(meaning).toMatch(/^[A-Z`]/);
    expect(remedy).toMatch(/^\*\*What to do:\*\* ./);
  });
});
