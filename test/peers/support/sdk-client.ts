// An MCP client of SDK 1.x that can do all that a server may ask for, connected through the bridge or directly, with a
// record of every message that reached it in the order of arrival.
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RequestTaskStore } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  type ClientCapabilities,
  type CreateTaskResult,
  type ElicitResult,
  type Result,
  type Root,
} from '@modelcontextprotocol/sdk/types.js';
import { bridgeCommand, type LaunchOptions } from './bridge.ts';
import { endProcess } from './child.ts';
import type { Message } from './json-rpc.ts';
import { until, type Scope } from './scope.ts';

const capabilities: ClientCapabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
  tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
};

export class Peer {
  readonly client: Client;
  /** Every message from the other side, as parsed from the wire, in order. */
  readonly received: Message[] = [];
  /** What the transport complained about: a line that is no message, for one. */
  readonly errors: Error[] = [];
  /** What a person would have answered; a test sets it before it causes the question. */
  elicited: ElicitResult = { action: 'decline' };
  roots: Root[] = [];

  constructor() {
    const taskStore = new InMemoryTaskStore();
    this.client = new Client({ name: 'peers', version: '1.0.0' }, { capabilities, taskStore });
    this.client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: this.roots }));
    this.client.setRequestHandler(CreateMessageRequestSchema, ({ params }, { taskStore }) => {
      const sampled = {
        model: 'a-model',
        role: 'assistant' as const,
        content: { type: 'text' as const, text: `Sampled: ${JSON.stringify(params.messages)}` },
      };
      return params.task && taskStore ? answerLater(taskStore, sampled) : sampled;
    });
    this.client.setRequestHandler(ElicitRequestSchema, ({ params }, { taskStore }) =>
      params.task && taskStore ? answerLater(taskStore, this.elicited) : this.elicited,
    );
  }

  async connect(transport: Transport): Promise<void> {
    transport.onmessage = (message) => void this.received.push(structuredClone(message) as Message);
    transport.onerror = (error) => void this.errors.push(error);
    await this.client.connect(transport, { timeout: 15_000 });
  }

  /** What arrived with this method, requests and notifications alike. */
  heard(method: string): Message[] {
    return this.received.filter((message) => message.method === method);
  }

  /** Waits for the nth message of this method. */
  hears(method: string, count = 1): Promise<Message> {
    return until(`${method}, number ${count}`, () => this.heard(method)[count - 1]);
  }

  /** The text of a tool's first content block. */
  async callText(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const result = await this.client.callTool({ name, arguments: args });
    return (result.content as { text: string }[])[0]?.text ?? '';
  }
}

export interface BridgedPeer extends Peer {
  readonly pid: number;
  /** What the bridge wrote for people. */
  log(): string;
}

export async function connectThroughBridge(
  scope: Scope,
  url: string,
  options?: LaunchOptions,
): Promise<BridgedPeer> {
  const transport = new StdioClientTransport({ ...bridgeCommand(scope, url, options), stderr: 'pipe' });
  let log = '';
  transport.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000)));
  const peer = new Peer();
  try {
    const connected = peer.connect(transport);
    scope.defer(async () => {
      const pid = transport.pid;
      await peer.client.close();
      await endProcess(pid);
    });
    await connected;
  } catch (error) {
    throw new Error(`No connection through the bridge. It said:\n${log}`, { cause: error });
  }
  return Object.assign(peer, { pid: transport.pid ?? 0, log: () => log });
}

export async function connectDirectly(scope: Scope, url: string): Promise<Peer> {
  const peer = new Peer();
  const isLegacy = new URL(url).pathname === '/sse';
  const transport = isLegacy
    ? new SSEClientTransport(new URL(url))
    : new StreamableHTTPClientTransport(new URL(url));
  scope.defer(() => peer.client.close());
  await peer.connect(transport);
  return peer;
}

/** Answers with a task that is still at work, and completes it a moment later. */
async function answerLater(store: RequestTaskStore, result: Result): Promise<CreateTaskResult> {
  const task = await store.createTask({ pollInterval: 50 });
  setTimeout(() => void store.storeTaskResult(task.taskId, 'completed', result), 50);
  return { task };
}
