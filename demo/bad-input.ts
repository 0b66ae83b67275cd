// Lines that no client should send, between lines that it should, and what has to come back for each.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawBridge } from './bridge-process.ts';

const parseError = -32700;
const invalidRequest = -32600;

interface Message {
  jsonrpc: string;
  id?: unknown;
  result?: unknown;
  error?: { code: number };
}

const initialize = {
  jsonrpc: '2.0',
  id: 'hello',
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'careless', version: '1.0.0' },
  },
};

/** Throws when an answer is missing or wrong. `codes` are the error codes of the bad lines, in the order they came. */
export async function sendBadInput(bridge: RawBridge): Promise<{ answered: number; codes: number[] }> {
  bridge.write(JSON.stringify(initialize));
  await waitForLines(bridge, 1);
  bridge.write(
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    JSON.stringify({ jsonrpc: '2.0', id: 'before', method: 'tools/list' }),
    'this is not JSON',
    JSON.stringify('a string is no message'),
    JSON.stringify({ jsonrpc: '1.0', id: 'old', method: 'tools/list' }),
    JSON.stringify({ jsonrpc: '2.0', id: 'no-method', metod: 'tools/list' }),
    JSON.stringify({ jsonrpc: '2.0', id: 'after', method: 'tools/list' }),
  );
  await waitForLines(bridge, 7);

  const messages = bridge.lines.map((line) => JSON.parse(line) as Message);
  for (const id of ['hello', 'before', 'after']) {
    const answers = messages.filter((message) => message.id === id);
    if (answers.length !== 1 || !answers[0]?.result)
      throw new Error(`"${id}" was not answered as it should be`);
  }
  const codes = messages.flatMap(({ error }) => (error ? [error.code] : []));
  const expected = [parseError, invalidRequest, invalidRequest, invalidRequest];
  if (codes.join() !== expected.join()) throw new Error(`the errors were ${codes.join(', ')}`);
  const refused = messages.find((message) => message.id === 'no-method');
  if (refused?.error?.code !== invalidRequest) throw new Error('the request with no method got no error');
  return { answered: 3, codes };
}

async function waitForLines(bridge: RawBridge, count: number): Promise<void> {
  for (const startedAt = performance.now(); bridge.lines.length < count; await sleep(2)) {
    if (performance.now() - startedAt > 3_000)
      throw new Error(`${bridge.lines.length} of ${count} lines came in 3 s`);
  }
}
