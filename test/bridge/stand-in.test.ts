// What a client is served when the service is away and nothing is known of it.
import {
  CallToolResultSchema,
  InitializeResultSchema,
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { LISTS } from '../../src/bridge/known-answers.ts';
import { isStatusCall, standInInitialize, standInList, statusResult } from '../../src/bridge/stand-in.ts';
import type { Connectivity } from '../../src/policy/connectivity.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';

const introduced = (params: object): unknown =>
  JSON.parse(standInInitialize(requestOf(1, 'initialize', params), 'service.example'));

describe('HS2 the stand-in for a service', () => {
  test('introduces itself as the specification says, in the revision that the client asked for', () => {
    const result = InitializeResultSchema.parse(introduced({ protocolVersion: '2025-03-26' }));
    expect(result.protocolVersion).toBe('2025-03-26');
    expect(result.serverInfo.name).toBe('mcp-bridge');
    expect(result.instructions).toContain('service.example');
  });

  test('says that each of its lists may change, so that the client looks again', () => {
    const { capabilities } = InitializeResultSchema.parse(introduced({ protocolVersion: '2025-06-18' }));
    expect(capabilities).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    });
  });

  test.each([{}, { protocolVersion: 7 }, { protocolVersion: null }])(
    'has a revision of its own where the client asks for %j',
    (params) => {
      expect(introduced(params)).toMatchObject({
        protocolVersion: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      });
    },
  );

  test('does so too where the client gives no parameters', () => {
    const bare = messageOf('{"jsonrpc":"2.0","id":1,"method":"initialize","params":null}');
    expect(() => standInInitialize(bare, 'service.example')).not.toThrow();
  });

  test('has one tool, which only reads, and otherwise empty lists', () => {
    const { tools } = ListToolsResultSchema.parse(JSON.parse(standInList('tools/list')!));
    expect(tools).toMatchObject([{ name: 'mcp_bridge_status', annotations: { readOnlyHint: true } }]);
    const prompts = ListPromptsResultSchema.parse(JSON.parse(standInList('prompts/list')!));
    const resources = ListResourcesResultSchema.parse(JSON.parse(standInList('resources/list')!));
    const templates = ListResourceTemplatesResultSchema.parse(
      JSON.parse(standInList('resources/templates/list')!),
    );
    expect([prompts.prompts, resources.resources, templates.resourceTemplates]).toEqual([[], [], []]);
  });

  test('has a list for each that is kept of a real service, and for nothing else', () => {
    expect([...LISTS.keys()].filter((method) => standInList(method) === undefined)).toEqual([]);
    expect(standInList('tools/call')).toBeUndefined();
  });

  test('knows a call of its tool from others', () => {
    expect(isStatusCall(requestOf(1, 'tools/call', { name: 'mcp_bridge_status' }))).toBe(true);
    expect(isStatusCall(requestOf(1, 'tools/call', { name: 'mcp_bridge_statuses' }))).toBe(false);
    expect(isStatusCall(requestOf(1, 'prompts/get', { name: 'mcp_bridge_status' }))).toBe(false);
    expect(isStatusCall(requestOf(1, 'tools/call', {}))).toBe(false);
  });
});

describe('HS2 what its tool says', () => {
  const failure = {
    code: 'ERR_UPSTREAM_UNREACHABLE',
    message: 'It cannot be reached (ECONNREFUSED).',
  } as const;
  const outage = { since: 0, failure, lastFailedAt: 0 };

  function told(state: Connectivity): { text: string; isError: boolean | undefined } {
    const { content, isError } = CallToolResultSchema.parse(
      JSON.parse(statusResult(state, 'service.example')),
    );
    const [part, ...more] = content;
    expect(more).toEqual([]);
    return { text: part?.type === 'text' ? part.text : '', isError };
  }

  test.each<[Connectivity, RegExp, boolean]>([
    [{ kind: 'READY', epoch: 1, since: 0 }, /service\.example is connected.*list/, false],
    [
      { kind: 'TRANSIENT_FAILURE', failures: 1, outage, retryAt: 9 },
      /not connected.*ECONNREFUSED.*again/,
      true,
    ],
    [{ kind: 'CONNECTING', failures: 1, outage }, /being connected.*ECONNREFUSED/, true],
    [{ kind: 'CONNECTING', failures: 0, outage: undefined }, /being connected\.$/, true],
    [{ kind: 'IDLE' }, /not connected; the next request/, true],
    [{ kind: 'SHUTDOWN' }, /stopping/, true],
  ])('in %j', (state, text, isError) => {
    expect(told(state)).toEqual({ text: expect.stringMatching(text), isError });
  });
});
