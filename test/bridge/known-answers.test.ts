// What is remembered of a service, and what a client is told from memory.
import { describe, expect, test, vi } from 'vitest';
import { KnownAnswers } from '../../src/bridge/known-answers.ts';
import { ToolCatalog } from '../../src/bridge/tool-catalog.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';
import { settle } from '../support/fake-clock.ts';
import { FakeService } from './fake-service.ts';
import { Harness } from './harness.ts';

vi.mock('../../src/upstream/http.ts', () => import('../support/fake-http.ts'));

const answer = (result: unknown): ReturnType<typeof messageOf> =>
  messageOf({ jsonrpc: '2.0', id: 0, result });
const list = (cursor?: string): ReturnType<typeof messageOf> =>
  requestOf(1, 'tools/list', cursor === undefined ? undefined : { cursor });

function storeOf(text?: string) {
  const saved: string[] = [];
  return { saved, load: () => text, save: (each: string) => Promise.resolve(void saved.push(each)) };
}

describe('HS1 the last known answers', () => {
  test('are those of an earlier run', async () => {
    const store = storeOf();
    const first = new KnownAnswers(store);
    expect(first.initialize).toBeUndefined();
    expect(first.noteInitialize(answer({ protocolVersion: '2025-06-18' }))).toBe(true);
    expect(first.notePage(list(), answer({ tools: [1.5] }))).toBe(true);
    await first.saved();
    const second = new KnownAnswers(storeOf(store.saved.at(-1)));
    expect(second.initialize).toBe('{"protocolVersion":"2025-06-18"}');
    expect(second.page(list())).toBe('{"tools":[1.5]}');
  });

  test('are saved only when they have changed', async () => {
    const store = storeOf();
    const known = new KnownAnswers(store);
    known.notePage(list(), answer({ tools: [] }));
    await known.saved();
    const { length } = store.saved;
    expect(known.notePage(list(), answer({ tools: [] }))).toBe(false);
    await known.saved();
    expect(store.saved).toHaveLength(length);
  });

  test('keep the pages of a list apart, and drop the later ones when the first changes', () => {
    const known = new KnownAnswers(storeOf());
    known.notePage(list(), answer({ tools: [1], nextCursor: 'b' }));
    known.notePage(list('b'), answer({ tools: [2] }));
    expect(known.page(list('b'))).toBe('{"tools":[2]}');
    known.notePage(list(), answer({ tools: [3] }));
    expect(known.page(list())).toBe('{"tools":[3]}');
    expect(known.page(list('b'))).toBeUndefined();
  });

  test.each([
    ['no JSON', '{"format"'],
    ['another format', '{"format":0,"pages":{}}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no pages', '{"format":1}'],
    ['pages of another kind', '{"format":1,"pages":{"tools/list":5}}'],
    ['a page that is no JSON', '{"format":1,"pages":{"tools/list":"{"}}'],
    ['a page on two lines', '{"format":1,"pages":{"tools/list":"{\\n}"}}'],
    ['an introduction that is no object', '{"format":1,"pages":{},"initialize":"7"}'],
  ])('are none where the file holds %s', (_what, text) => {
    const known = new KnownAnswers(storeOf(text));
    expect([known.initialize, known.page(list())]).toEqual([undefined, undefined]);
  });

  test('are looked for without harm where a list is asked for with params that are null', () => {
    const request = messageOf('{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}');
    expect(new KnownAnswers(storeOf()).page(request)).toBeUndefined();
  });
});

describe('RT3 the tools that are known', () => {
  const callOf = (name: string): ReturnType<typeof messageOf> => requestOf(1, 'tools/call', { name });

  test('have the annotations of the last list', () => {
    const catalog = new ToolCatalog();
    catalog.learn('{"tools":[{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b"}]}', true);
    catalog.learn('{"tools":[{"name":"c","annotations":{"idempotentHint":true}}]}', false);
    expect(catalog.annotationsFor(callOf('a'))).toEqual({ readOnlyHint: true });
    expect(catalog.annotationsFor(callOf('b'))).toEqual({});
    expect(catalog.annotationsFor(callOf('c'))).toEqual({ idempotentHint: true });
    expect(catalog.annotationsFor(callOf('d'))).toBeUndefined();
    catalog.learn('{"tools":[]}', true);
    expect(catalog.annotationsFor(callOf('a'))).toBeUndefined();
  });

  test('are forgotten when the service says that they changed', () => {
    const catalog = new ToolCatalog();
    catalog.learn('{"tools":[{"name":"a","annotations":{"readOnlyHint":true}}]}', true);
    catalog.forget();
    expect(catalog.annotationsFor(callOf('a'))).toBeUndefined();
  });

  test.each([
    '{}',
    '{"tools":null}',
    '{"tools":{}}',
    '{"tools":[null,5,"a",{"name":7},{"name":"x","annotations":1}]}',
    '[]',
    '5',
  ])('are none that could be repeated where the service lists nonsense: %s', (result) => {
    const catalog = new ToolCatalog();
    catalog.learn(result, true);
    expect(catalog.annotationsFor(callOf('x')) ?? {}).toEqual({});
  });

  test('are none where the service answers null', () => {
    expect(() => new ToolCatalog().learn('null', true)).not.toThrow();
  });
});

describe('HS3 a list that the service answers', () => {
  test('is what the client gets, though an older one is known', async () => {
    const service = new FakeService();
    const harness = new Harness();
    await harness.initialize();
    for (const key of [1, 2]) {
      await harness.send({ jsonrpc: '2.0', id: key, method: 'tools/list', params: { key } });
      service.only.answer();
      await settle();
    }
    expect(harness.repliesTo(1)).toMatchObject([{ result: { to: 1 } }]);
    expect(harness.repliesTo(2)).toMatchObject([{ result: { to: 2 } }]);
  });
});
