// A pool, a service on the fake network and clients that lease from it, each with ids of its own that are the same as the
// others'. The file that uses it must put the fake network in place:
//
//   vi.mock('../../src/upstream/http.ts', () => import('../upstream/fake-pools.ts'));
import { dispatch, type Reply } from '../../src/bridge/dispatch.ts';
import { PendingTable, type PendingRequest } from '../../src/bridge/pending.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { BridgeEvent } from '../../src/observe/events.ts';
import { Pool } from '../../src/pool/pool.ts';
import type { ReplaySafety } from '../../src/policy/replay-safety.ts';
import type { Envelope } from '../../src/protocol/envelope.ts';
import type { ClientSink, MessageOrigin } from '../../src/upstream/call.ts';
import type { Established } from '../../src/upstream/handshake.ts';
import type { ServiceSession } from '../../src/upstream/service-session.ts';
import { requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { network, type FakeHttpExchange } from '../support/fake-http.ts';
import { FakePeer } from '../upstream/fake-peer.ts';
import { defaultSettings as defaults } from '../support/default-settings.ts';

export interface Told {
  readonly profile: string;
  readonly session: string | undefined;
  readonly event: BridgeEvent;
}

export interface Asked {
  readonly pending: PendingRequest;
  readonly key: string;
  reply: Reply | undefined;
}

interface ClientOptions {
  readonly name?: string;
  /** Of `initialize`, instead of the usual ones. */
  readonly params?: object;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client's end of its lease. */
export class PoolClient implements ClientSink {
  readonly name: string;
  readonly lease: ServiceSession;
  readonly established: { readonly answer: Established; readonly isFirst: boolean }[] = [];
  /** Methods of what it got outside of calls, with the text that tells one from another. */
  readonly heard: string[] = [];
  readonly heardInCalls: string[] = [];
  readonly origins: MessageOrigin[] = [];
  readonly asked: Asked[] = [];
  rejected = 0;
  /** A promise while it does not read. */
  behind: Promise<void> | undefined;
  readonly #world: PoolWorld;
  readonly #table = new PendingTable();

  constructor(world: PoolWorld, { name = 'one', params, url, headers = {} }: ClientOptions) {
    this.#world = world;
    this.name = name;
    this.lease = world.pool.lease({
      profile: { name: 'work', url: new URL(url ?? 'https://service.example/mcp'), headers },
      settings: world.settings,
      initialize: requestOf(0, 'initialize', {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name, version: '1' },
        ...params,
      }),
      unsolicited: this,
      onEstablished: (answer, isFirst) => void this.established.push({ answer, isFirst }),
      onRejected: () => void (this.rejected += 1),
    });
    this.lease.want();
  }

  deliver(message: Envelope, origin: MessageOrigin): void {
    this.heard.push(inWords(message));
    this.origins.push(origin);
  }

  ready(): Promise<void> | undefined {
    return this.behind;
  }

  get state(): string {
    return this.lease.state.kind;
  }

  get isFirst(): boolean[] {
    return this.established.map(({ isFirst }) => isFirst);
  }

  /** Makes a request as a conversation does. Its id is the number of the client's request, from 1. */
  ask(method: string, params: object = {}, safety: ReplaySafety = 'unsafe'): Asked {
    const { clock } = this.#world;
    const id = this.asked.length + 1;
    const key = `${this.name}-${id}`;
    const message = requestOf(id, method, { key, _meta: { progressToken: id }, ...params });
    const pending = this.#table.open(message, clock.now(), () => {})!;
    pending.expiresAt = clock.now() + 30_000;
    const deadline = clock.after(30_000, () => pending.withdraw({ kind: 'deadline' }));
    const asked: Asked = { pending, key, reply: undefined };
    const sink: ClientSink = {
      deliver: (incoming, origin) => {
        this.heardInCalls.push(inWords(incoming));
        this.origins.push(origin);
      },
      ready: () => undefined,
    };
    const { lease: session } = this;
    void dispatch(pending, { session, sink, safety, clock, rng: () => 0.5, observer: () => {} }).then(
      (reply) => {
        deadline.cancel();
        asked.reply = reply;
      },
    );
    this.asked.push(asked);
    return asked;
  }

  /** As when the client has gone: what is under way is withdrawn by its conversation. */
  async leave(): Promise<void> {
    for (const { pending } of this.asked) pending.withdraw({ kind: 'shutdown' });
    await this.lease.close(new AbortController().signal);
  }
}

function whichOf(params: Record<string, unknown> = {}): string {
  const what = params['uri'] ?? params['level'] ?? params['progressToken'] ?? params['requestId'] ?? '';
  return typeof what === 'string' ? what : JSON.stringify(what);
}

/** What a message is, and which of its kind. */
export function inWords({ bytes }: Envelope): string {
  const { method, params } = JSON.parse(bytes.toString()) as FakeHttpExchange['message'] & object;
  const name = String(method).replace('notifications/', '');
  return `${name} ${whichOf(params)}`.trimEnd();
}

export class PoolWorld {
  readonly peer = new FakePeer();
  readonly clock = new FakeClock();
  readonly told: Told[] = [];
  readonly settings: Settings;
  readonly pool: Pool;

  constructor(settings: Partial<Settings> = {}) {
    this.settings = { ...defaults, ...settings };
    this.pool = new Pool({
      clock: this.clock,
      rng: () => 0.5,
      observerFor:
        ({ profile, session }) =>
        (event) =>
          void this.told.push({ profile, session, event }),
    });
  }

  client(options: ClientOptions = {}): PoolClient {
    return new PoolClient(this, options);
  }

  /** Clients that share a session that is READY. */
  static async sharing(...names: readonly string[]): Promise<{ world: PoolWorld; clients: PoolClient[] }> {
    const world = new PoolWorld();
    const clients = names.map((name) => world.client({ name }));
    await settle();
    return { world, clients };
  }

  /** Sends a message on the standing stream of the newest session. */
  async say(method: string, params: object = {}, id?: number): Promise<void> {
    const message = { jsonrpc: '2.0', ...(id !== undefined && { id }), method, params };
    this.peer.streams.at(-1)?.data(`data: ${JSON.stringify(message)}\n\n`);
    await settle();
  }

  /** Methods that have reached the service, with the text that tells one from another; handshakes and pings left out. */
  get sent(): string[] {
    return this.messages
      .filter(({ method }) => !['initialize', 'notifications/initialized', 'ping'].includes(method ?? ''))
      .map(({ method, params }) => `${method} ${method === 'tools/call' ? '' : whichOf(params)}`.trimEnd());
  }

  get messages(): NonNullable<FakeHttpExchange['message']>[] {
    return network.exchanges.flatMap(({ message }) => (message === undefined ? [] : [message]));
  }

  /** The service's end of the call with this key. */
  callOf({ key }: Asked): FakeHttpExchange {
    const found = network.exchanges.findLast(({ message }) => message?.params?.['key'] === key);
    if (found === undefined) throw new Error(`the service has not seen ${key}`);
    return found;
  }
}

/** `answer`, or the code of the bridge's error, or that there is none yet. */
export function replyOf({ reply }: Asked): string {
  if (reply === undefined) return 'none yet';
  return reply.kind === 'error' ? reply.failure.code : reply.kind;
}

/** The result of an answer. */
export function resultOf({ reply }: Asked): unknown {
  if (reply?.kind !== 'answer' || reply.message.spans.result === undefined) return undefined;
  return JSON.parse(reply.message.text(reply.message.spans.result));
}
