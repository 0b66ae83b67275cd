// What the MCP project's reference server offers, used through the bridge and directly: both must give the same.
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { everythingTransports, startEverything } from './support/everything.ts';
import type { RecordingProxy } from './support/recording-proxy.ts';
import { blockScope } from './support/scope.ts';
import { connectDirectly, connectThroughBridge, type BridgedPeer, type Peer } from './support/sdk-client.ts';

describe.each(everythingTransports)('the reference server over $name', ({ transport, path }) => {
  const scope = blockScope();
  let wire: RecordingProxy;
  let bridged: BridgedPeer;
  let direct: Peer;

  beforeAll(async () => {
    const everything = await startEverything(scope, transport);
    wire = await everything.proxy();
    bridged = await connectThroughBridge(scope, wire.origin + path);
    direct = await connectDirectly(scope, (await everything.proxy()).origin + path);
  });

  /** The outcome of the same request on both ways; errors are outcomes too. The clock of the server is taken out. */
  async function bothWays<T>(
    request: (peer: Peer) => Promise<T>,
  ): Promise<{ through: unknown; directly: unknown }> {
    const outcome = async (peer: Peer): Promise<unknown> => {
      try {
        return withoutTime(await request(peer));
      } catch (error) {
        const { code, message, data } = error as { code?: number; message: string; data?: unknown };
        return { code, message, data };
      }
    };
    return { through: await outcome(bridged), directly: await outcome(direct) };
  }

  test('BR1 BR2 the handshake gives the client what the server itself would have given', () => {
    expect(bridged.client.getServerVersion()).toEqual(direct.client.getServerVersion());
    expect(bridged.client.getServerCapabilities()).toEqual(direct.client.getServerCapabilities());
    expect(bridged.client.getInstructions()).toEqual(direct.client.getInstructions());
    expect(bridged.client.getInstructions()).toContain('Everything');
  });

  test('BR1 BR4 lists every tool as the server does', async () => {
    const { through, directly } = await bothWays(({ client }) => client.listTools());
    expect(through).toEqual(directly);
    expect((through as { tools: unknown[] }).tools.length).toBeGreaterThan(15);
  });

  test.each<[string, Record<string, unknown>]>([
    ['echo', { message: 'Größe "1.50" \\ \u2028 \u0000 🎈 </script>\n' }],
    ['get-sum', { a: 1.5, b: -1e21 }],
    ['get-annotated-message', { messageType: 'error', includeImage: true }],
    ['get-annotated-message', { messageType: 'success' }],
    ['get-annotated-message', { messageType: 'debug' }],
    ['get-env', {}],
    ['get-resource-links', { count: 10 }],
    ['get-resource-reference', { resourceType: 'Text', resourceId: 7 }],
    ['get-resource-reference', { resourceType: 'Blob', resourceId: 8 }],
    ['get-structured-content', { location: 'Chicago' }],
    ['get-tiny-image', {}],
    ['trigger-long-running-operation', { duration: 0.2, steps: 2 }],
  ])('BR1 BR4 the tool %s answers as it does directly: %j', async (name, args) => {
    const { through, directly } = await bothWays(({ client }) => client.callTool({ name, arguments: args }));
    expect(through).toEqual(directly);
    expect((through as { content: unknown[] }).content.length).toBeGreaterThan(0);
    expect(through).not.toHaveProperty('isError', true);
  });

  test.each<[string, (peer: Peer) => Promise<unknown>]>([
    ['a tool that is not there', ({ client }) => client.callTool({ name: 'no-such-tool' })],
    ['wrong arguments', ({ client }) => client.callTool({ name: 'get-sum', arguments: { a: 'one' } })],
    [
      'a tool that throws',
      ({ client }) => client.callTool({ name: 'gzip-file-as-resource', arguments: { data: 'ftp://x/' } }),
    ],
    [
      'a resource that is not there',
      ({ client }) => client.readResource({ uri: 'demo://resource/dynamic/text/nought' }),
    ],
    ['a prompt that is not there', ({ client }) => client.getPrompt({ name: 'no-such-prompt' })],
    [
      'a prompt without its argument',
      ({ client }) => client.getPrompt({ name: 'args-prompt', arguments: {} }),
    ],
    ['a task that is not there', ({ client }) => client.experimental.tasks.getTask('no-such-task')],
  ])('BR1 BR4 an error stays the error that it was: %s', async (_, request) => {
    const { through, directly } = await bothWays(request);
    expect(through).toEqual(directly);
    const { code, isError } = through as { code?: number; isError?: boolean };
    expect(code !== undefined || isError === true).toBe(true);
  });

  test('BR1 BR4 lists and reads every resource, and those made from templates', async () => {
    const listed = await bothWays(({ client }) => client.listResources());
    expect(listed.through).toEqual(listed.directly);
    const templates = await bothWays(({ client }) => client.listResourceTemplates());
    expect(templates.through).toEqual(templates.directly);
    expect((templates.through as { resourceTemplates: unknown[] }).resourceTemplates).toHaveLength(2);

    const { resources } = await direct.client.listResources();
    expect(resources.length).toBeGreaterThan(3);
    const made = ['demo://resource/dynamic/text/3', 'demo://resource/dynamic/blob/4'];
    for (const uri of [...resources.map((resource) => resource.uri), ...made]) {
      const read = await bothWays(({ client }) => client.readResource({ uri }));
      expect(read.through).toEqual(read.directly);
      expect(read.through).toMatchObject({ contents: [{ uri }] });
    }
  });

  test('BR1 BR4 lists and gets every prompt', async () => {
    const listed = await bothWays(({ client }) => client.listPrompts());
    expect(listed.through).toEqual(listed.directly);
    expect((listed.through as { prompts: unknown[] }).prompts).toHaveLength(4);
    for (const [name, args] of [
      ['simple-prompt', undefined],
      ['args-prompt', { city: 'Zürich', state: 'ZH' }],
      ['completable-prompt', { department: 'Sales', name: 'Eve' }],
      ['resource-prompt', { resourceType: 'Text', resourceId: '5' }],
    ] as const) {
      const got = await bothWays(({ client }) =>
        client.getPrompt({ name, ...(args && { arguments: args }) }),
      );
      expect(got.through).toEqual(got.directly);
      expect(got.through).toHaveProperty('messages');
    }
  });

  test('BR1 completes arguments, with the context of those already given', async () => {
    const prompt = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    const template = { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' } as const;
    const values = async (request: Parameters<Peer['client']['complete']>[0]) => {
      const { through, directly } = await bothWays(({ client }) => client.complete(request));
      expect(through).toEqual(directly);
      return (through as { completion: { values: string[] } }).completion.values;
    };
    expect(await values({ ref: prompt, argument: { name: 'department', value: 'S' } })).toEqual([
      'Sales',
      'Support',
    ]);
    const context = { arguments: { department: 'Engineering' } };
    expect(await values({ ref: prompt, argument: { name: 'name', value: 'A' }, context })).toEqual(['Alice']);
    expect(await values({ ref: template, argument: { name: 'resourceId', value: '12' } })).toEqual(['12']);
  });

  test('BR1 BR2 the transport was found as the specification says, and kept', () => {
    const isLegacy = transport === 'sse';
    expect(wire.exchanges[0]).toMatchObject({ method: 'POST', path, status: isLegacy ? 404 : 200 });
    // Only then is the old transport looked for, by a GET whose stream names the way to post and carries all answers.
    expect(wire.exchanges[1]).toMatchObject({ method: isLegacy ? 'GET' : 'POST', path });
    expect(wire.of('GET')).toHaveLength(1);
    expect(wire.of('GET')[0]).toMatchObject({ path, status: 200, isOpen: true });
    expect(wire.of('GET')[0]?.headers.accept).toContain('text/event-stream');
    const posts = wire.of('POST').slice(1);
    expect(new Set(posts.map((post) => new URL(post.path, wire.origin).pathname))).toEqual(
      new Set([isLegacy ? '/message' : path]),
    );
  });

  test('BR1 answers a ping', async () => {
    expect(await bridged.client.ping()).toEqual({});
  });

  test('BR3 60 calls at once get each their own answer', async () => {
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    const answers = await Promise.all(
      numbers.map((n) =>
        n % 3 === 0
          ? bridged.callText('get-sum', { a: n, b: n })
          : bridged.callText('echo', { message: `call ${n}` }),
      ),
    );
    expect(answers).toEqual(
      numbers.map((n) => (n % 3 === 0 ? `The sum of ${n} and ${n} is ${2 * n}.` : `Echo: call ${n}`)),
    );
  });

  test('BR4 carries two megabytes up and down unharmed', async () => {
    const message = randomBytes(1_500_000).toString('base64');
    expect(await bridged.callText('echo', { message })).toBe(`Echo: ${message}`);
  });

  test('BR1 BR9 all of this was one handshake, and stdout carried nothing but messages', () => {
    expect(wire.accepted('initialize')).toHaveLength(1);
    expect(wire.accepted('notifications/initialized')).toHaveLength(1);
    expect(bridged.errors).toEqual([]);
  });
});

/** Dynamic resources of this server hold the time of day in text, or in base64. */
function withoutTime(value: unknown): unknown {
  const scrub = (text: string) => text.replace(/created at [\d:]+( [AP]M)?/g, 'created at …');
  return JSON.parse(JSON.stringify(value), (key, item: unknown) => {
    if (typeof item !== 'string') return item;
    return key === 'blob' ? scrub(Buffer.from(item, 'base64').toString('latin1')) : scrub(item);
  });
}
