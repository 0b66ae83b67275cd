// The proof: launches exactly what stands in a client's file, as a client does, and asks for the tools.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Entry } from './entry.ts';

export type Proof =
  | { readonly kind: 'proved'; readonly tools: readonly string[] }
  /** The bridge answers, and says that it cannot reach the service. */
  | { readonly kind: 'stand-in'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Longer than the bridge's own patience with a service. */
const LIMIT_MS = 45_000;
const STAND_IN = 'mcp_bridge_status';
const SAID_CHARACTERS = 2000;

/** Never rejects. */
export async function prove(entry: Entry): Promise<Proof> {
  const transport = new StdioClientTransport({
    command: entry.command,
    args: [...entry.args],
    env: { ...getDefaultEnvironment(), ...entry.env },
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-SAID_CHARACTERS);
  });
  const client = new Client({ name: 'mcp-bridge-setup', version: '1.0.0' });
  const options = { timeout: LIMIT_MS };
  try {
    await client.connect(transport, options);
    const { tools } = await client.listTools(undefined, options);
    const names = tools.map(({ name }) => name);
    if (names.length !== 1 || names[0] !== STAND_IN) return { kind: 'proved', tools: names };
    const { content } = await client.callTool({ name: STAND_IN }, undefined, options);
    return { kind: 'stand-in', text: textOf(content) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: [reason, said.trim()].filter((part) => part !== '').join(' ') };
  } finally {
    await client.close().catch(() => {});
  }
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  const texts = content.map((part) => (part as { text?: unknown }).text);
  return texts.filter((text) => typeof text === 'string').join(' ');
}
