// What the scripted service can do as an MCP server: its methods and tools. No HTTP here.
import type { JsonObject, RpcMessage } from './messages.ts';
import type { ServiceRecord } from './record.ts';
import type { Session } from './sessions.ts';

/** What a method may use while it runs. */
export interface Call {
  readonly message: RpcMessage;
  readonly session: Session;
  readonly record: ServiceRecord;
  /** Aborted when the client cancels the request. */
  readonly signal: AbortSignal;
  notify(method: string, params: object): void;
  /** Sends a request to the client and waits for its answer. */
  ask(method: string, params: object): Promise<RpcMessage>;
}

/** An error that the client gets as a JSON-RPC error. */
export class RpcFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const tools = [
  tool('read', { readOnlyHint: true }),
  tool('write', undefined),
  tool('idempotent', { idempotentHint: true }),
  tool('slow', undefined),
  tool('echo', { readOnlyHint: true }),
  tool('big', { readOnlyHint: true }),
  tool('progress', { readOnlyHint: true }),
  tool('ask', undefined),
];

function tool(name: string, annotations: JsonObject | undefined): JsonObject {
  return {
    name,
    description: `The tool ${name}`,
    inputSchema: { type: 'object' },
    ...(annotations && { annotations }),
  };
}

const revisions = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

/** Runs a request and returns its result. */
export async function runMethod(call: Call, initializeResult: JsonObject): Promise<unknown> {
  const { method, params = {} } = call.message;
  switch (method) {
    case 'initialize': {
      call.record.handshakes += 1;
      const wanted = String(params['protocolVersion']);
      call.session.protocolVersion = revisions.includes(wanted) ? wanted : '2025-11-25';
      return { protocolVersion: call.session.protocolVersion, ...initializeResult };
    }
    case 'ping':
    case 'logging/setLevel':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return {};
    case 'tools/list':
      return { tools };
    case 'tools/call':
      return callTool(call, String(params['name']), (params['arguments'] ?? {}) as JsonObject);
    case 'prompts/list':
      return { prompts: [{ name: 'greet', description: 'A greeting' }] };
    case 'prompts/get':
      return { messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }] };
    case 'resources/list':
      return { resources: [{ uri: 'scripted://one', name: 'one' }] };
    case 'resources/templates/list':
      return { resourceTemplates: [] };
    case 'resources/read':
      return { contents: [{ uri: params['uri'], text: 'one' }] };
    default:
      throw new RpcFailure(-32601, `Method not found: ${method}`);
  }
}

/** Every tool takes `key` (its executions are counted by it) and `ms` (how long it runs once it has been counted). */
async function callTool(call: Call, name: string, args: JsonObject): Promise<unknown> {
  const key = typeof args['key'] === 'string' ? args['key'] : undefined;
  if (key !== undefined) call.record.countExecution(key);
  await pause(Number(args['ms'] ?? 0), call.signal);
  switch (name) {
    case 'read':
    case 'write':
    case 'idempotent':
    case 'slow':
      return text(key === undefined ? name : `${name} ${key}`);
    case 'echo':
      return {
        content: [{ type: 'text', text: JSON.stringify(args['value']) }],
        structuredContent: { value: args['value'] },
      };
    case 'big':
      return text('x'.repeat(Number(args['bytes'] ?? 1)));
    case 'progress':
      return reportProgress(call, Number(args['steps'] ?? 3));
    case 'ask':
      return text(JSON.stringify(await call.ask(String(args['method']), args['params'] ?? {})));
    default:
      throw new RpcFailure(-32602, `Unknown tool: ${name}`);
  }
}

const text = (value: string): object => ({ content: [{ type: 'text', text: value }] });

/** Sends progress (where a token was given) and a log message for each step, then answers. */
function reportProgress(call: Call, steps: number): unknown {
  const meta = call.message.params?.['_meta'] as JsonObject | undefined;
  for (let step = 1; step <= steps; step += 1) {
    if (meta?.['progressToken'] !== undefined) {
      call.notify('notifications/progress', {
        progressToken: meta['progressToken'],
        progress: step,
        total: steps,
      });
    }
    call.notify('notifications/message', { level: 'info', logger: 'progress', data: `step ${step}` });
  }
  return text(`${steps} steps`);
}

/** Waits; rejects when the client cancels. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(new Error('cancelled'));
      else resolve();
    }
  });
}
