// The tools that the conformance suite calls, by the names and with the behaviour that its scenarios ask for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  type CallToolResult,
  type ElicitRequestFormParams,
  type ServerNotification,
  type ServerRequest,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js';
import { json, pngBase64, text, wavBase64 } from './content.ts';

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Schema = ElicitRequestFormParams['requestedSchema'];

interface ConformanceTool {
  description: string;
  inputSchema?: Tool['inputSchema'];
  run(args: Record<string, unknown>, extra: Extra): Promise<CallToolResult> | CallToolResult;
}

const stepMs = 50;

export const tools: Record<string, ConformanceTool> = {
  test_simple_text: {
    description: 'Returns one line of text',
    run: () => ({ content: [text('This is a simple text response for testing.')] }),
  },
  test_image_content: {
    description: 'Returns an image',
    run: () => ({ content: [{ type: 'image', data: pngBase64, mimeType: 'image/png' }] }),
  },
  test_audio_content: {
    description: 'Returns a sound',
    run: () => ({ content: [{ type: 'audio', data: wavBase64, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    description: 'Returns an embedded resource',
    run: () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  },
  test_multiple_content_types: {
    description: 'Returns text, an image and a resource',
    run: () => ({
      content: [
        text('Multiple content types test:'),
        { type: 'image', data: pngBase64, mimeType: 'image/png' },
        { type: 'resource', resource: json('test://mixed-content-resource', { test: 'data', value: 123 }) },
      ],
    }),
  },
  test_tool_with_logging: {
    description: 'Logs three messages while it runs',
    async run(_args, extra) {
      await log(extra, 'Tool execution started');
      await sleep(stepMs);
      await log(extra, 'Tool processing data');
      await sleep(stepMs);
      await log(extra, 'Tool execution completed');
      return { content: [text('Logged three messages.')] };
    },
  },
  test_error_handling: {
    description: 'Always fails',
    run: () => ({ isError: true, content: [text('This tool intentionally returns an error for testing')] }),
  },
  test_tool_with_progress: {
    description: 'Reports progress 0, 50 and 100 of 100 while it runs',
    async run(_args, extra) {
      await progress(extra, 0);
      await sleep(stepMs);
      await progress(extra, 50);
      await sleep(stepMs);
      await progress(extra, 100);
      return { content: [text('Reported progress three times.')] };
    },
  },
  test_sampling: {
    description: 'Asks the client to complete a prompt',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    async run(args, extra) {
      const answer = await extra.sendRequest(
        {
          method: 'sampling/createMessage',
          params: { messages: [{ role: 'user', content: text(String(args['prompt'])) }], maxTokens: 100 },
        },
        CreateMessageResultSchema,
      );
      return { content: [text(`LLM response: ${JSON.stringify(answer.content)}`)] };
    },
  },
  test_elicitation: {
    description: 'Asks the user for a name and an address',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    run: (args, extra) =>
      elicit(extra, 'User response', String(args['message']), {
        type: 'object',
        properties: {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        required: ['username', 'email'],
      }),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks the user for values that all have defaults',
    run: (_args, extra) =>
      elicit(extra, 'Elicitation completed', 'Please check these values', {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name', default: 'John Doe' },
          age: { type: 'integer', description: 'Age', default: 30 },
          score: { type: 'number', description: 'Score', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', description: 'Verified', default: true },
        },
      }),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks the user to choose, once in each form that a choice can take',
    run: (_args, extra) => elicit(extra, 'Elicitation completed', 'Please choose', choices),
  },
  test_reconnection: {
    description:
      'Closes its own stream before it answers, so that the client has to come back for the answer',
    async run(_args, extra) {
      // Undefined for clients older than 2025-11-25: those have no event to resume from.
      extra.closeSSEStream?.();
      await sleep(2 * stepMs);
      return { content: [text('Answered after the stream was closed.')] };
    },
  },
  json_schema_2020_12_tool: {
    description: 'Has an input schema with JSON Schema 2020-12 keywords',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
      },
      properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    },
    run: (args) => ({ content: [text(JSON.stringify(args))] }),
  },
};

const choices: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: [
        { const: 'value1', title: 'First Option' },
        { const: 'value2', title: 'Second Option' },
      ],
    },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['Option One', 'Option Two'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: [
          { const: 'value1', title: 'First Choice' },
          { const: 'value2', title: 'Second Choice' },
        ],
      },
    },
  },
};

async function elicit(
  extra: Extra,
  label: string,
  message: string,
  requestedSchema: Schema,
): Promise<CallToolResult> {
  const answer = await extra.sendRequest(
    { method: 'elicitation/create', params: { message, requestedSchema } },
    ElicitResultSchema,
  );
  return {
    content: [text(`${label}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)],
  };
}

function log(extra: Extra, data: string): Promise<void> {
  return extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
}

async function progress(extra: Extra, done: number): Promise<void> {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  await extra.sendNotification({
    method: 'notifications/progress',
    params: { progressToken, progress: done, total: 100 },
  });
}
