// What becomes of a request whose daemon is gone: the table.
import { describe, expect, test } from 'vitest';
import { Ledger, type Entry } from '../../src/front/ledger.ts';
import { errorReply, type ErrorCode } from '../../src/protocol/errors.ts';

const line = (text: string): Buffer[] => [Buffer.from(`${text}\n`)];
const call = (id: number, name: string): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}"}}`;

const TOOLS = [
  { name: 'reads', annotations: { readOnlyHint: true } },
  { name: 'sets', annotations: { idempotentHint: true } },
  { name: 'writes', annotations: { readOnlyHint: false } },
  { name: 'silent' },
];

function ledgerThatKnows(tools: readonly object[] | undefined): Ledger<string> {
  const ledger = new Ledger<string>();
  if (tools === undefined) return ledger;
  ledger.open({ key: '0', method: 'tools/list' }, line('{"jsonrpc":"2.0","id":0,"method":"tools/list"}'));
  ledger.settle('0', line(JSON.stringify({ jsonrpc: '2.0', id: 0, result: { tools } })));
  return ledger;
}

function opened(ledger: Ledger<string>, method: string, text: string, key = '1'): Entry<string> {
  const entry = ledger.open({ key, method }, line(text));
  if (entry === undefined) throw new Error('not opened');
  entry.holder = 'daemon';
  return entry;
}

describe('DM4 RT3 RT4 a request whose daemon is gone', () => {
  test.each([
    ['a list', TOOLS, 'tools/list', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 'resend'],
    ['initialize', undefined, 'initialize', '{"jsonrpc":"2.0","id":1,"method":"initialize"}', 'resend'],
    ['a call of a tool that only reads', TOOLS, 'tools/call', call(1, 'reads'), 'resend'],
    ['a call of a tool that may be repeated', TOOLS, 'tools/call', call(1, 'sets'), 'resend'],
    ['a call of a tool that writes', TOOLS, 'tools/call', call(1, 'writes'), 'fail'],
    ['a call of a tool that says nothing', TOOLS, 'tools/call', call(1, 'silent'), 'fail'],
    ['a call of a tool that was never listed', TOOLS, 'tools/call', call(1, 'other'), 'fail'],
    ['a call before any list', undefined, 'tools/call', call(1, 'reads'), 'fail'],
    ['what is no request', undefined, '', '{"jsonrpc":"1.0","id":1,"method":"x"}', 'resend'],
  ])('%s', (_what, tools, method, text, verdict) => {
    const ledger = ledgerThatKnows(tools);
    const entry = opened(ledger, method, text);
    const [recovery] = ledger.recover([entry]);
    expect(recovery?.kind).toBe(verdict);
    const failure = recovery?.kind === 'fail' ? recovery.failures[0] : undefined;
    expect(failure?.failure.code).toBe(verdict === 'fail' ? 'ERR_UPSTREAM_OUTCOME_UNKNOWN' : undefined);
  });

  test('a batch is sent again when all of it may be, and else each of its requests fails', () => {
    const ledger = ledgerThatKnows(TOOLS);
    const open = (key: string, ids: readonly string[], text: string): Entry<string> =>
      ledger.open({ key, method: '', batch: ids }, line(text)) as Entry<string>;
    const safe = open('[1', ['1', '2'], `[${call(1, 'reads')},${call(2, 'sets')}]`);
    const mixed = open('[3', ['3', '4'], `[${call(3, 'reads')},${call(4, 'writes')}]`);
    const [first, second] = ledger.recover([safe, mixed]);
    expect(first?.kind).toBe('resend');
    expect(second).toMatchObject({ kind: 'fail', failures: [{ id: '3' }, { id: '4' }] });
  });

  test('one that no daemon survives is not handed on for ever', () => {
    const ledger = ledgerThatKnows(undefined);
    const entry = opened(ledger, 'ping', '{"jsonrpc":"2.0","id":1,"method":"ping"}');
    entry.moves = 3;
    expect(ledger.recover([entry])[0]).toMatchObject({
      kind: 'fail',
      failures: [{ failure: { code: 'ERR_BRIDGE_SHUTDOWN' } }],
    });
  });

  test('a list that has changed no longer vouches for its tools', () => {
    const ledger = ledgerThatKnows(TOOLS);
    ledger.forgetTools();
    expect(ledger.recover([opened(ledger, 'tools/call', call(1, 'reads'))])[0]?.kind).toBe('fail');
  });

  test('a line too large to keep fails, as unknown only where it may have done something', () => {
    const ledger = ledgerThatKnows(TOOLS);
    const big = Buffer.alloc(65 * 1024 * 1024, 0x20);
    const list = ledger.open({ key: '1', method: 'prompts/get' }, [big]) as Entry<string>;
    const write = ledger.open({ key: '2', method: 'tools/call' }, [big]) as Entry<string>;
    const codes = ledger
      .recover([list, write])
      .map((each) => (each.kind === 'fail' ? each.failures[0]?.failure.code : 'resend'));
    expect(codes).toEqual(['ERR_BRIDGE_SHUTDOWN', 'ERR_UPSTREAM_OUTCOME_UNKNOWN']);
  });
});

describe('BR13 the ledger', () => {
  test('lets a request leave once', () => {
    const ledger = ledgerThatKnows(undefined);
    opened(ledger, 'ping', '{}');
    expect(ledger.settle('1', line('{}'))?.key).toBe('1');
    expect(ledger.settle('1', line('{}'))).toBeUndefined();
    expect(ledger.size).toBe(0);
  });

  test('takes no second request under an open id', () => {
    const ledger = new Ledger<string>();
    const first = opened(ledger, 'ping', '{}');
    expect(ledger.open({ key: '1', method: 'ping' }, line('{}'))).toBeUndefined();
    expect(ledger.heldBy('daemon')).toEqual([first]);
    expect(ledger.settle('1', line('{}'))).toBe(first);
    expect(ledger.open({ key: '1', method: 'ping' }, line('{}'))).toBeDefined();
  });
});

describe('BR8 BR13 an error without an id', () => {
  test.each<[ErrorCode, boolean]>([
    ['ERR_CLIENT_BATCH_UNSUPPORTED', true],
    ['ERR_CLIENT_LINE_TOO_LONG', true],
    ['ERR_CLIENT_NOT_JSON', false],
    ['ERR_CLIENT_INVALID_REQUEST', false],
  ])('with %s answers the oldest batch of who sends it: %s', (code, isAnswer) => {
    const ledger = new Ledger<string>();
    const [other, first, second] = ['a', 'b', 'b'].map((holder, n) => {
      const asked = { key: `[${n}`, method: '', batch: [String(n)] };
      const entry = ledger.open(asked, line(`[${call(n, 'x')}]`)) as Entry<string>;
      entry.holder = holder;
      return entry;
    });
    const call9 = opened(ledger, 'tools/call', call(9, 'x'), '9');
    call9.holder = 'b';
    const message = 'There is "code":"ERR_CLIENT_BATCH_UNSUPPORTED" in it.';
    ledger.settleRefused('b', line(errorReply(null, { code, message }).toString()));
    expect(ledger.all()).toEqual(isAnswer ? [other, second, call9] : [other, first, second, call9]);
  });
});
