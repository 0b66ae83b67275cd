// What a client is answered at once, and from where.
import { describe, expect, test } from 'vitest';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { outcomeOf, remembered, SERVICE, Viewing } from './viewing.ts';

const TOOLS = { tools: [{ name: 'old' }] };
const LISTS = {
  'tools/list': TOOLS,
  'prompts/list': { prompts: [{ name: 'p' }] },
  'resources/list': { resources: [] },
  'resources/templates/list': { resourceTemplates: [] },
};

describe('HS1 `initialize`', () => {
  test('is answered from memory at once, while the session is being made', async () => {
    const world = new Viewing(await remembered({}));
    const asked = world.initialize();
    await settle();
    expect(outcomeOf(asked)).toEqual(SERVICE);
    expect(world.view.protocolVersion).toBe(SERVICE.protocolVersion);
    expect([world.session.wanted > 0, world.session.state.kind]).toEqual([true, 'CONNECTING']);
  });

  test('is answered by the service where nothing is known of it', async () => {
    const world = new Viewing();
    const asked = world.initialize();
    await settle();
    expect(outcomeOf(asked)).toBe('none yet');
    world.session.establish(SERVICE);
    await settle();
    expect(outcomeOf(asked)).toEqual(SERVICE);
    expect(world.view.protocolVersion).toBe(SERVICE.protocolVersion);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('leaves the service’s answer in memory for the next launch', async () => {
    const world = await Viewing.introduced();
    const later = new Viewing(world.saved.at(-1));
    const asked = later.initialize();
    await settle();
    expect(outcomeOf(asked)).toEqual(SERVICE);
  });

  test('gets the service’s own error where the service refuses it', async () => {
    const world = new Viewing();
    const asked = world.initialize();
    const error = { code: -32602, message: 'Unsupported protocol version' };
    world.session.parts.onRejected(messageOf({ jsonrpc: '2.0', id: 0, error }));
    world.session.fail('ERR_UPSTREAM_BAD_ANSWER');
    await settle();
    expect(outcomeOf(asked)).toEqual(error);
  });

  test.each(['ERR_UPSTREAM_REDIRECT', 'ERR_AUTH_FORBIDDEN'] as const)(
    'is told of a mistake at once: %s',
    async (code) => {
      const world = new Viewing();
      const asked = world.initialize();
      world.session.fail(code);
      await settle();
      expect(outcomeOf(asked)).toBe(code);
      expect(world.clock.pendingTimers).toBe(0);
    },
  );

  test('BR10 is answered when the bridge ends before', async () => {
    const world = new Viewing();
    const asked = world.initialize();
    asked.pending.withdraw({ kind: 'shutdown' });
    await settle();
    expect(outcomeOf(asked)).toBe('ERR_BRIDGE_SHUTDOWN');
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('HS2 a service that is away and was never seen', () => {
  async function standIn(): Promise<Viewing> {
    const world = new Viewing();
    world.initialize();
    world.session.fail();
    await world.clock.advance(20_000);
    return world;
  }

  test('is waited for as long as the settings say, then stood in for', async () => {
    const world = new Viewing();
    const asked = world.initialize();
    world.session.fail();
    await world.clock.advance(19_999);
    expect(outcomeOf(asked)).toBe('none yet');
    await world.clock.advance(1);
    expect(outcomeOf(asked)).toMatchObject({
      protocolVersion: '2025-03-26',
      serverInfo: { name: 'mcp-bridge' },
    });
    expect(world.view.protocolVersion).toBe('2025-03-26');
  });

  test('is stood in for at once where nobody is signed in', async () => {
    const world = new Viewing();
    const asked = world.initialize();
    world.session.fail('ERR_AUTH_REQUIRED');
    await settle();
    expect(outcomeOf(asked)).toMatchObject({ serverInfo: { name: 'mcp-bridge' } });
  });

  test('has one tool, which says what is wrong, and asks for the service', async () => {
    const world = await standIn();
    const list = world.ask('tools/list');
    await settle();
    expect(outcomeOf(list)).toMatchObject({ tools: [{ name: 'mcp_bridge_status' }] });
    const { wanted } = world.session;
    const status = world.ask('tools/call', { name: 'mcp_bridge_status', arguments: {} });
    await settle();
    expect(outcomeOf(status)).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('It went wrong.') }],
    });
    expect(world.session.wanted).toBeGreaterThan(wanted);
  });

  test('is not remembered: the next launch asks again', async () => {
    const world = await standIn();
    world.ask('tools/list');
    await settle();
    expect(world.saved).toEqual([]);
  });

  test('HS3 heals by itself: the client is told to look again, and gets the real lists', async () => {
    const world = await standIn();
    world.ask('tools/list');
    await settle();
    world.session.establish(SERVICE);
    await settle();
    expect(world.announced.toSorted()).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/tools/list_changed',
    ]);
    const list = world.ask('tools/list');
    await settle();
    world.session.call1('tools/list').answer(TOOLS);
    await settle();
    expect(outcomeOf(list)).toEqual(TOOLS);
  });
});

describe('HS2 a service that is away and was seen before', () => {
  test.each(Object.entries(LISTS))('answers %s from memory at once', async (method, result) => {
    const world = await Viewing.remembering(LISTS);
    world.session.fail();
    const asked = world.ask(method);
    await settle();
    expect(outcomeOf(asked)).toEqual(result);
    expect(world.session.calls).toEqual([]);
  });

  test('answers a list that is asked for while the handshake takes long', async () => {
    const world = await Viewing.remembering(LISTS);
    const asked = world.ask('tools/list');
    await world.clock.advance(999);
    expect(outcomeOf(asked)).toBe('none yet');
    await world.clock.advance(1);
    expect(outcomeOf(asked)).toEqual(TOOLS);
  });

  test('answers a list that was under way when it went', async () => {
    const world = await Viewing.remembering(LISTS);
    world.session.establish(SERVICE);
    const asked = world.ask('tools/list');
    await world.clock.advance(5000);
    expect(outcomeOf(asked)).toBe('none yet');
    world.session.fail();
    await settle();
    expect(outcomeOf(asked)).toEqual(TOOLS);
  });

  test('SC4 is not asked any more what was answered from memory', async () => {
    const world = await Viewing.remembering(LISTS);
    world.session.establish(SERVICE);
    await settle();
    world.ask('tools/list');
    world.session.fail();
    await settle();
    expect(world.session.call1('tools/list').signal.aborted).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('answers nothing from memory but lists, and no page that it does not know', async () => {
    const world = await Viewing.remembering(LISTS);
    world.session.fail();
    const others = [
      world.ask('tools/call', { name: 'old' }),
      world.ask('prompts/get', { name: 'p' }),
      world.ask('tools/list', { cursor: 'page-2' }),
      world.ask('tools/call', { name: 'mcp_bridge_status' }),
    ];
    await world.clock.advance(5000);
    expect(others.map(outcomeOf)).toEqual(Array.from(others, () => 'none yet'));
  });

  test('BR6 answers nothing that was cancelled', async () => {
    const world = await Viewing.remembering(LISTS);
    const asked = world.ask('tools/list');
    const message = messageOf(
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}',
    );
    asked.pending.withdraw({ kind: 'cancelled', message });
    await world.clock.advance(5000);
    expect(outcomeOf(asked)).toBe('silence');
  });
});

describe('HS1 a service that is there', () => {
  test('answers its lists itself, however long it takes, though older ones are known', async () => {
    const world = await Viewing.remembering(LISTS);
    world.session.establish(SERVICE);
    const asked = world.ask('tools/list');
    await world.clock.advance(25_000);
    expect(outcomeOf(asked)).toBe('none yet');
    world.session.call1('tools/list').answer({ tools: [{ name: 'new' }] });
    await settle();
    expect(outcomeOf(asked)).toEqual({ tools: [{ name: 'new' }] });
  });

  test('has its own errors handed on, which are not remembered', async () => {
    const world = await Viewing.remembering(LISTS);
    world.session.establish(SERVICE);
    const asked = world.ask('tools/list');
    await settle();
    world.session.call1('tools/list').answerError(-32603);
    await settle();
    expect(outcomeOf(asked)).toMatchObject({ code: -32603 });
    expect(world.saved).toEqual([]);
  });

  test('BR1 gets the client’s notifications and the machine’s wake-ups', async () => {
    const world = await Viewing.introduced();
    await world.view.notify(Buffer.from('a note'));
    world.view.checkNow('the machine was asleep');
    expect([world.session.notes, world.session.checks]).toEqual([['a note'], ['the machine was asleep']]);
  });
});
