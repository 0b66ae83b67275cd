// What a client is told when the service turns out to be another than it knows, and what may be sent twice.
import { describe, expect, test } from 'vitest';
import { messageOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { outcomeOf, SERVICE, Viewing } from './viewing.ts';

const OLD = { tools: [{ name: 'old' }] };
const NEW = { tools: [{ name: 'new' }] };
const EVERY_LIST = [
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/tools/list_changed',
];

/** A client that was answered these lists from memory, because the handshake took long. */
async function servedFromMemory(lists: Readonly<Record<string, object>>): Promise<Viewing> {
  const world = await Viewing.remembering(lists);
  for (const method of Object.keys(lists)) world.ask(method);
  await world.clock.advance(1000);
  return world;
}

describe('HS3 a client that was answered from memory', () => {
  test('hears nothing where the service is as it was', async () => {
    const world = await servedFromMemory({ 'tools/list': OLD });
    world.session.establish(SERVICE);
    await settle();
    world.session.call1('tools/list').answer(OLD);
    await settle();
    expect(world.announced).toEqual([]);
  });

  test('hears that a list has changed where it has', async () => {
    const world = await servedFromMemory({ 'tools/list': OLD });
    world.session.establish(SERVICE);
    await settle();
    world.session.call1('tools/list').answer(NEW);
    await settle();
    expect(world.announced).toEqual(['notifications/tools/list_changed']);
    const asked = world.ask('tools/list');
    world.session.fail();
    await settle();
    expect(outcomeOf(asked)).toEqual(NEW);
  });

  test('hears of the lists that have changed, and of no others', async () => {
    const prompts = { prompts: [{ name: 'p' }] };
    const world = await servedFromMemory({ 'tools/list': OLD, 'prompts/list': prompts });
    world.session.establish(SERVICE);
    await settle();
    world.session.call1('tools/list').answer(OLD);
    await settle();
    world.session.call1('prompts/list').answer({ prompts: [] });
    await settle();
    expect(world.announced).toEqual(['notifications/prompts/list_changed']);
  });

  test('hears nothing of a list that the service fails to give', async () => {
    const world = await servedFromMemory({ 'tools/list': OLD });
    world.session.establish(SERVICE);
    await settle();
    world.session.call1('tools/list').answerError();
    await settle();
    expect(world.announced).toEqual([]);
  });

  test('hears that everything has changed where the service introduces itself otherwise', async () => {
    const world = await servedFromMemory({ 'tools/list': OLD });
    world.session.establish({ ...SERVICE, serverInfo: { name: 'service', version: '2' } });
    await settle();
    expect(world.announced.toSorted()).toEqual(EVERY_LIST);
    expect(world.session.calls).toEqual([]);
  });

  test('is asked for nothing that it was not given', async () => {
    const world = await Viewing.remembering({ 'tools/list': OLD });
    world.session.establish(SERVICE);
    await settle();
    expect(world.session.calls).toEqual([]);
    expect(world.announced).toEqual([]);
  });
});

describe('SE5 a client whose session was replaced', () => {
  test('hears that every list may have changed, each time, once', async () => {
    const world = await Viewing.introduced();
    expect(world.announced).toEqual([]);
    for (let n = 1; n <= 3; n += 1) {
      world.session.become({ kind: 'CONNECTING', failures: 0, outage: undefined });
      world.session.establish(SERVICE);
      await settle();
      expect(world.announced.toSorted()).toEqual(
        EVERY_LIST.flatMap((each) => Array.from({ length: n }, () => each)),
      );
    }
  });

  test('hears nothing before it has been introduced', async () => {
    const world = new Viewing();
    world.session.establish(SERVICE);
    world.session.establish({ ...SERVICE, serverInfo: { name: 'other', version: '1' } });
    await settle();
    expect(world.announced).toEqual([]);
  });
});

describe('RT3 a tool call', () => {
  const CALLS = ['reader', 'repeatable', 'writer', 'unlisted'];
  const TOOLS = {
    tools: [
      { name: 'reader', annotations: { readOnlyHint: true } },
      { name: 'repeatable', annotations: { idempotentHint: true } },
      { name: 'writer', annotations: { destructiveHint: false } },
    ],
  };

  /** Whether calls of these tools may be sent twice. */
  async function safetyOf(world: Viewing, names = CALLS): Promise<(string | undefined)[]> {
    const before = world.session.calls.length;
    for (const name of names) world.ask('tools/call', { name });
    await settle();
    return world.session.calls.slice(before).map(({ question }) => question.safety);
  }

  async function list(world: Viewing, result: object, params?: object): Promise<void> {
    world.ask('tools/list', params);
    await settle();
    world.session.calls.at(-1)?.answer(result);
    await settle();
  }

  test('may be sent twice where the service’s last list says so', async () => {
    const world = await Viewing.introduced();
    expect(await safetyOf(world)).toEqual(['unsafe', 'unsafe', 'unsafe', 'unsafe']);
    await list(world, TOOLS);
    expect(await safetyOf(world)).toEqual(['safe', 'safe', 'unsafe', 'unsafe']);
  });

  test('may be sent twice where a later page says so', async () => {
    const world = await Viewing.introduced();
    await list(world, { tools: TOOLS.tools.slice(0, 1), nextCursor: '2' });
    await list(world, { tools: TOOLS.tools.slice(1) }, { cursor: '2' });
    expect(await safetyOf(world)).toEqual(['safe', 'safe', 'unsafe', 'unsafe']);
  });

  test('may be sent twice where the list in memory says so, before the service was asked', async () => {
    const world = await Viewing.remembering({ 'tools/list': TOOLS });
    world.session.establish(SERVICE);
    expect(await safetyOf(world)).toEqual(['safe', 'safe', 'unsafe', 'unsafe']);
  });

  test('may be sent twice where a later page in memory says so', async () => {
    const first = await Viewing.introduced();
    await list(first, { tools: TOOLS.tools.slice(0, 1), nextCursor: '2' });
    await list(first, { tools: TOOLS.tools.slice(1) }, { cursor: '2' });
    const world = new Viewing(first.saved.at(-1));
    world.initialize();
    world.session.establish(SERVICE);
    expect(await safetyOf(world)).toEqual(['safe', 'safe', 'unsafe', 'unsafe']);
  });

  test('may not be sent twice once the service says that its tools have changed', async () => {
    const world = await Viewing.introduced();
    await list(world, TOOLS);
    const changed = messageOf('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
    world.session.parts.unsolicited.deliver(changed, { isOver: false, send: () => Promise.resolve() });
    expect(world.fromService).toEqual(['notifications/tools/list_changed']);
    expect(await safetyOf(world)).toEqual(['unsafe', 'unsafe', 'unsafe', 'unsafe']);
  });

  test('may not be sent twice once a new list says nothing of it any more', async () => {
    const world = await Viewing.introduced();
    await list(world, TOOLS);
    await list(world, { tools: [{ name: 'reader' }] });
    expect(await safetyOf(world)).toEqual(['unsafe', 'unsafe', 'unsafe', 'unsafe']);
  });
});
