// The hosted service that the conformance suite tests through the bridge: everything that its server scenarios expect,
// on the SDK's own server, with sessions, an event store and streams that can be resumed.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  type GetPromptResult,
  type Prompt,
  type ReadResourceResult,
} from '@modelcontextprotocol/sdk/types.js';
import { json, pngBase64, text } from './content.ts';
import { HttpHost } from './http-host.ts';
import { tools } from './server-tools.ts';

/** Starts the service on a free loopback port; the caller closes it. Its sessions end with DELETE or not at all. */
export function startConformanceServer(): Promise<HttpHost> {
  return HttpHost.listen(
    async (transport) => {
      const server = createServer();
      await server.connect(transport);
      return server;
    },
    { abandonAfterMs: 600_000 },
  );
}

function createServer(): Server {
  const server = new Server(
    { name: 'conformance-server', version: '1.0.0' },
    {
      capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {}, logging: {} },
    },
  );
  addTools(server);
  addResources(server);
  addPrompts(server);
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => ({
    completion: {
      values: ['paris', 'park', 'party', 'test value'].filter((value) =>
        value.startsWith(params.argument.value),
      ),
      hasMore: false,
    },
  }));
  return server;
}

function addTools(server: Server): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(tools).map(([name, { description, inputSchema }]) => ({
      name,
      description,
      inputSchema: inputSchema ?? { type: 'object', properties: {} },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const tool = tools[params.name];
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `No tool is named ${params.name}`);
    return tool.run(params.arguments ?? {}, extra);
  });
}

function addResources(server: Server): void {
  const watched = 'test://watched-resource';
  const subscribed = new Set<string>();

  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: [
      {
        uri: 'test://static-text',
        name: 'Static text',
        description: 'Never changes',
        mimeType: 'text/plain',
      },
      { uri: 'test://static-binary', name: 'Static image', description: 'One pixel', mimeType: 'image/png' },
      { uri: watched, name: 'Watched', description: 'Can be subscribed to', mimeType: 'text/plain' },
    ],
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [
      {
        uriTemplate: 'test://template/{id}/data',
        name: 'By id',
        description: 'One a number',
        mimeType: 'application/json',
      },
    ],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => readResource(params.uri));
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    if (!subscribed.delete(params.uri))
      throw new McpError(ErrorCode.InvalidParams, `${params.uri} is not subscribed to`);
    return {};
  });
}

function readResource(uri: string): ReadResourceResult {
  if (uri === 'test://static-text') {
    const content = 'This is the content of the static text resource.';
    return { contents: [{ uri, mimeType: 'text/plain', text: content }] };
  }
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: pngBase64 }] };
  if (uri === 'test://watched-resource')
    return { contents: [{ uri, mimeType: 'text/plain', text: 'Watched.' }] };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new McpError(ErrorCode.InvalidParams, `No resource is named ${uri}`);
  return { contents: [json(uri, { id, templateTest: true, data: `Data for ID: ${id}` })] };
}

interface ConformancePrompt extends Omit<Prompt, 'name'> {
  get(args: Record<string, string>): GetPromptResult['messages'];
}

const prompts: Record<string, ConformancePrompt> = {
  test_simple_prompt: {
    description: 'One message',
    get: () => [{ role: 'user', content: text('This is a simple prompt for testing.') }],
  },
  test_prompt_with_arguments: {
    description: 'Puts its arguments into a message',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
    get: ({ arg1, arg2 }) => [
      { role: 'user', content: text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`) },
    ],
  },
  test_prompt_with_embedded_resource: {
    description: 'Embeds a resource',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', required: true }],
    get: ({ resourceUri = '' }) => [
      {
        role: 'user',
        content: {
          type: 'resource',
          resource: {
            uri: resourceUri,
            mimeType: 'text/plain',
            text: 'Embedded resource content for testing.',
          },
        },
      },
      { role: 'user', content: text('Please process the embedded resource above.') },
    ],
  },
  test_prompt_with_image: {
    description: 'Shows an image',
    get: () => [
      { role: 'user', content: { type: 'image', data: pngBase64, mimeType: 'image/png' } },
      { role: 'user', content: text('Please analyze the image above.') },
    ],
  },
};

function addPrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(prompts).map(([name, { get: _get, ...prompt }]) => ({ name, ...prompt })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = prompts[params.name];
    if (!prompt) throw new McpError(ErrorCode.InvalidParams, `No prompt is named ${params.name}`);
    return { messages: prompt.get(params.arguments ?? {}) };
  });
}
