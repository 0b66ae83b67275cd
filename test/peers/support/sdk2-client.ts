// An MCP client of SDK 2.x over its stdio transport, connected through the bridge, with a record of what reached it.
import { Client, type ClientOptions, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { bridgeCommand } from './bridge.ts';
import { endProcess } from './child.ts';
import type { Message } from './json-rpc.ts';
import type { Scope } from './scope.ts';

const capabilities: NonNullable<ClientOptions['capabilities']> = {
  roots: { listChanged: true },
  sampling: {},
  elicitation: {},
};

export interface Sdk2Peer {
  readonly client: Client;
  readonly received: Message[];
  readonly errors: Error[];
  readonly pid: number;
}

export async function connectSdk2(
  scope: Scope,
  url: string,
  mode?: VersionNegotiationMode,
): Promise<Sdk2Peer> {
  const command = bridgeCommand(scope, url);
  const transport = new StdioClientTransport({ ...command, stderr: 'ignore' });
  const received: Message[] = [];
  const errors: Error[] = [];
  transport.onmessage = (message) => void received.push(structuredClone(message) as Message);
  transport.onerror = (error) => void errors.push(error);

  const client = new Client(
    { name: 'peers-2', version: '1.0.0' },
    { capabilities, ...(mode !== undefined && { versionNegotiation: { mode } }) },
  );
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///second' }] }));
  client.setRequestHandler('sampling/createMessage', ({ params }) => ({
    model: 'a-model',
    role: 'assistant',
    content: { type: 'text', text: `Sampled ${params.maxTokens}` },
  }));
  scope.defer(async () => {
    const pid = transport.pid;
    await client.close();
    await endProcess(pid);
  });
  await client.connect(transport, { timeout: 15_000 });
  return { client, received, errors, pid: transport.pid ?? 0 };
}
