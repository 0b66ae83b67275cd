// What of a client's introduction counts.
import { describe, expect, test } from 'vitest';
import { clientKind, clientName } from '../../src/bridge/client-kind.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';

const usual = {
  protocolVersion: '2025-06-18',
  capabilities: { sampling: {} },
  clientInfo: { name: 'claude-ai', version: '1.0' },
};
const kindOf = (params?: object): string => clientKind(requestOf(1, 'initialize', params));

describe('HS1 clients are of one kind', () => {
  test('whatever their version and their request’s id', () => {
    const other = { ...usual, clientInfo: { name: 'claude-ai', version: '2.0', title: 'Claude' } };
    expect(kindOf(other)).toBe(kindOf(usual));
    expect(clientKind(requestOf('other', 'initialize', usual))).toBe(kindOf(usual));
  });

  test.each([
    ['revision', { ...usual, protocolVersion: '2025-03-26' }],
    ['capabilities', { ...usual, capabilities: { roots: {} } }],
    ['name', { ...usual, clientInfo: { name: 'cursor', version: '1.0' } }],
    ['no name', { ...usual, clientInfo: undefined }],
  ])('unless they differ in: %s', (_what, params) => {
    expect(kindOf(params)).not.toBe(kindOf(usual));
  });
});

describe('BR11 an introduction that makes no sense', () => {
  test.each([
    '{"jsonrpc":"2.0","id":1,"method":"initialize"}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":null}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":null}}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":"me"}}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":7}}}',
  ])('has no name and does no harm: %s', (text) => {
    expect(clientName(messageOf(text))).toBeUndefined();
    expect(() => clientKind(messageOf(text))).not.toThrow();
  });

  test('has the name that it gives, otherwise', () => {
    expect(clientName(requestOf(1, 'initialize', usual))).toBe('claude-ai');
  });
});
