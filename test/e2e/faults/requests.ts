// Requests that a test sends through the bridge, and what came back for each.
import type { BridgeProcess } from '../../support/bridge-process.ts';
import type { Matcher, RpcMessage } from '../../support/scripted-service.ts';

/** `write` is the only kind that must not be sent twice when it may have run. */
export type Kind = 'read' | 'write' | 'idempotent' | 'list';

export interface Sent {
  readonly id: string;
  readonly kind: Kind;
  /** The tool argument `key`; for a list, its method. */
  readonly key: string;
  readonly isStream: boolean;
  readonly sentAt: number;
  /** When its reply came, on the same clock. */
  repliedAt: number;
  readonly reply: Promise<RpcMessage>;
}

/** How the keys of calls begin whose answers stream. */
export const STREAM = 'stream-';

export interface SendOptions {
  readonly key?: string;
  readonly timeoutMs?: number;
  /** Its answer is to stream, with progress. */
  readonly isStream?: boolean;
}

let sentSoFar = 0;

const listMethods = [
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
];

/** Sends a request; for a list, `key` is the method. */
export function send(bridge: BridgeProcess, kind: Kind, options: SendOptions = {}): Sent {
  sentSoFar += 1;
  const id = `${kind}-${sentSoFar}`;
  const { isStream = false, key = isStream ? `${STREAM}${id}` : id, timeoutMs = 40_000 } = options;
  const call = { name: kind, arguments: { key }, ...(isStream && { _meta: { progressToken: id } }) };
  bridge.send(
    kind === 'list'
      ? { jsonrpc: '2.0', id, method: key, params: key === 'resources/read' ? { uri: 'scripted://one' } : {} }
      : { jsonrpc: '2.0', id, method: 'tools/call', params: call },
  );
  const reply = bridge.reply(id, timeoutMs);
  const sent: Sent = { id, kind, key, isStream, sentAt: performance.now(), repliedAt: Number.NaN, reply };
  reply.then(
    () => (sent.repliedAt = performance.now()),
    () => {},
  );
  return sent;
}

/** 50 requests of every kind, all at once. */
export function sendMixed(bridge: BridgeProcess): Sent[] {
  const kinds: Kind[] = ['read', 'write', 'read', 'write', 'idempotent'];
  const calls = Array.from({ length: 45 }, (_, n) => send(bridge, kinds[n % kinds.length]!));
  return [...calls, ...listMethods.map((key) => send(bridge, 'list', { key }))];
}

/** Fits the first try at each of these requests, by its `key` or method, and takes it out of the set. */
export function firstTries(untried: Set<string>): Matcher {
  return { when: ({ key, rpc }) => untried.delete(key ?? rpc ?? '') };
}

export function errorCode(reply: RpcMessage): string | undefined {
  return (reply.error?.data as { code?: string } | undefined)?.code;
}
