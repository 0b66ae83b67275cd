// The client that the conformance suite launches, once a scenario, with the URL of its server as the last argument.
// It reaches that server through the bridge (or directly, to see what passes without one; see `launch.ts`), does what
// the scenario asks of a client, and exits with 0 when it could.
import { env, argv } from 'node:process';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema, type ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { launchFromEnvironment } from './launch.ts';
import { signIn, type ScenarioContext } from './sign-in.ts';

interface Scenario {
  capabilities?: ClientCapabilities;
  prepare?(): Promise<void>;
  run(client: Client): Promise<unknown>;
}

/** By the name that the suite gives in `MCP_CONFORMANCE_SCENARIO`. */
const scenarios: Record<string, Scenario> = {
  initialize: { run: (client) => client.listTools() },
  tools_call: {
    async run(client) {
      await client.listTools();
      const { content } = await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
      expectText(content, 'The sum of 5 and 3 is 8');
    },
  },
  'elicitation-sep1034-client-defaults': {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    async run(client) {
      // The answer leaves every field out: the SDK fills the defaults in from the schema that came through.
      client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
      await client.listTools();
      await client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} });
    },
  },
  'sse-retry': {
    async run(client) {
      await client.listTools();
      const { content } = await client.callTool({ name: 'test_reconnection', arguments: {} });
      expectText(content, 'Reconnection test completed successfully');
    },
  },
};

/** Calls a tool; where the service wants more scopes for it, signs in once more, and calls again. */
async function callSignedIn(client: Client, signInAgain: () => Promise<void>): Promise<void> {
  const { tools } = await client.listTools();
  const [tool] = tools;
  const call = () => client.callTool({ name: tool?.name ?? 'test-tool', arguments: {} });
  try {
    await call();
  } catch (error) {
    if (!JSON.stringify((error as { data?: unknown }).data ?? '').includes('ERR_AUTH_SCOPE')) throw error;
    await signInAgain();
    await call();
  }
}

/** Every `auth/…` scenario: a sign-in, and then a client that works. */
function signedInScenario(name: string, url: string): Scenario {
  const launch = launchFromEnvironment();
  if (launch === 'direct') throw new Error('Signing in is what `mcp-bridge login` does.');
  const context = JSON.parse(env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as ScenarioContext;
  const isUnattended = name.startsWith('auth/client-credentials');
  const signInNow = async (): Promise<void> => {
    const code = await signIn(launch, url, context, isUnattended);
    if (code !== 0) throw new Error(`login ended with ${code}`);
  };
  return { prepare: signInNow, run: (client) => callSignedIn(client, signInNow) };
}

function expectText(content: unknown, expected: string): void {
  const found = JSON.stringify(content);
  if (!found.includes(JSON.stringify(expected)))
    throw new Error(`Expected ${JSON.stringify(expected)} in ${found}`);
}

function connectTo(url: string): Transport {
  const launch = launchFromEnvironment();
  if (launch === 'direct') return new StreamableHTTPClientTransport(new URL(url));
  const { command, args, env: bridgeEnv } = launch;
  return new StdioClientTransport({
    command,
    args: [...args, url],
    env: { ...bridgeEnv },
    stderr: 'inherit',
  });
}

async function main(): Promise<void> {
  const name = env['MCP_CONFORMANCE_SCENARIO'] ?? '';
  const url = argv.at(-1);
  const scenario = name.startsWith('auth/') ? signedInScenario(name, url ?? '') : scenarios[name];
  if (!scenario || url === undefined) throw new Error(`Nothing is known of the scenario "${name}"`);

  await scenario.prepare?.();
  const client = new Client(
    { name: 'conformance-client', version: '1.0.0' },
    { capabilities: scenario.capabilities ?? {} },
  );
  await client.connect(connectTo(url));
  try {
    await scenario.run(client);
  } finally {
    await client.close();
  }
}

await main();
