// What clients ask for: each request carries a nonce that its answer has to show.
import type { JsonObject } from '../support/scripted/messages.ts';
import type { Random } from './random.ts';

export interface Operation {
  readonly kind: string;
  readonly nonce: string;
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
  /** The tool changes something each time that it runs. */
  readonly isWrite: boolean;
  /** Its progress token, where it asks for progress. */
  readonly token: string | undefined;
  /** Milliseconds after which the client cancels it. */
  readonly cancelAfterMs: number | undefined;
  /** What the result says is this request's answer; else what is wrong with it. */
  readonly check: (result: unknown) => string | undefined;
}

type Draft = Pick<Operation, 'method' | 'params' | 'check'> & Partial<Operation>;
type Kind = (nonce: string, random: Random, n: number) => Draft;

const textOf = (result: unknown): unknown =>
  (result as { content?: { text?: unknown }[] } | null)?.content?.[0]?.text;

const expectText =
  (wanted: string) =>
  (result: unknown): string | undefined =>
    textOf(result) === wanted ? undefined : `wanted "${wanted}"`;

const call = (name: string, args: JsonObject, check: Operation['check']): Draft => {
  return { method: 'tools/call', params: { name, arguments: args }, check };
};

const list =
  (method: string, field: string): Kind =>
  () => {
    const check = (result: unknown): string | undefined =>
      Array.isArray((result as JsonObject)[field]) ? undefined : `wanted ${field}`;
    return { method, params: {}, check };
  };

const simple =
  (name: string, isWrite = false): Kind =>
  (key, random) => ({
    ...call(name, { key, ms: random.chance(0.3) ? random.int(1, 300) : 0 }, expectText(`${name} ${key}`)),
    isWrite,
  });

/** Takes its time, and reports progress where it is not hindered. */
const streaming =
  (name: string, isWrite = false): Kind =>
  (key, random) => {
    const ms = random.int(200, 1500);
    const draft = call(name, { key, ms }, expectText(`${name} ${key}`));
    return {
      ...draft,
      isWrite,
      token: `token ${key}`,
      params: { ...draft.params, _meta: { progressToken: `token ${key}` } },
    };
  };

const withdrawn =
  (kind: Kind): Kind =>
  (nonce, random, n) => ({ ...kind(nonce, random, n), cancelAfterMs: random.pick([0, 5, 30, 300, 1000]) });

/** Large both ways. */
const heavy: Kind = (key, random) => {
  const value = key + 'v'.repeat(random.int(20_000, 300_000));
  return call('echo', { key, value }, (result) =>
    (result as JsonObject)['structuredContent'] !== undefined &&
    (result as { structuredContent: JsonObject }).structuredContent['value'] === value
      ? undefined
      : 'wanted its own large value',
  );
};

/** A large answer that is known by its length. */
const big: Kind = (key, random, n) => {
  const bytes = 10_000 * random.int(2, 40) + (n % 10_000);
  return call('big', { key, bytes }, (result) =>
    String(textOf(result)).length === bytes ? undefined : `wanted ${bytes} characters`,
  );
};

const resource: Kind = (nonce) => {
  const check = (result: unknown): string | undefined =>
    (result as { contents?: { uri?: string }[] }).contents?.[0]?.uri === nonce ? undefined : 'wanted its uri';
  return { method: 'resources/read', params: { uri: nonce }, check };
};

const kinds: readonly (readonly [weight: number, name: string, kind: Kind])[] = [
  [20, 'read', simple('read')],
  [20, 'write', simple('write', true)],
  [8, 'idempotent', simple('idempotent')],
  [5, 'streaming read', streaming('read')],
  [5, 'streaming write', streaming('slow', true)],
  [3, 'withdrawn read', withdrawn(simple('read'))],
  [3, 'withdrawn write', withdrawn(simple('write', true))],
  [3, 'withdrawn stream', withdrawn(streaming('slow', true))],
  [3, 'heavy', heavy],
  [3, 'big', big],
  [5, 'resource', resource],
  [2, 'tools/list', list('tools/list', 'tools')],
  [1, 'prompts/list', list('prompts/list', 'prompts')],
  [1, 'resources/list', list('resources/list', 'resources')],
];

export class Traffic {
  readonly #random: Random;
  readonly #client: string;
  #count = 0;

  constructor(client: string, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** The next request, of any kind or of the one that is named. */
  next(name?: string): Operation {
    this.#count += 1;
    const n = this.#count;
    const random = this.#random;
    const [, kind, make] =
      kinds.find(([, each]) => each === name) ??
      random.weighted(kinds.map((each) => [each[0], each] as const));
    const nonce = `${this.#client}-${n}`;
    const id = random.pick<string | number>([n, -n, `${n}`, `id ${nonce}`]);
    return {
      isWrite: false,
      token: undefined,
      cancelAfterMs: undefined,
      ...make(nonce, random, n),
      kind,
      nonce,
      id,
    };
  }
}
