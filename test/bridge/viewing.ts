// A service as one client sees it, on a session and a memory in the test's hands.
import { KnownAnswers, type KnownAnswersStore } from '../../src/bridge/known-answers.ts';
import { PendingTable, type PendingRequest } from '../../src/bridge/pending.ts';
import type { Reply } from '../../src/bridge/dispatch.ts';
import { ServiceView } from '../../src/bridge/service-view.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { FakeSession } from './fake-session.ts';
import { defaultSettings } from '../support/default-settings.ts';

const settings = {
  ...defaultSettings,
  initializeTimeoutMs: 20_000,
};

export const SERVICE = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'service', version: '1' },
};

/** The stored text of a memory that holds these results: the introduction, and lists by method. */
export async function remembered(lists: Readonly<Record<string, object>>, initialize: object = SERVICE) {
  let text = '';
  const store = { load: () => undefined, save: (saved: string) => Promise.resolve(void (text = saved)) };
  const known = new KnownAnswers(store);
  known.noteInitialize(messageOf({ jsonrpc: '2.0', id: 0, result: initialize }));
  for (const [method, result] of Object.entries(lists))
    known.notePage(requestOf(0, method), messageOf({ jsonrpc: '2.0', id: 0, result }));
  await known.saved();
  return text;
}

export interface Asked {
  readonly pending: PendingRequest;
  /** Undefined while there is none. */
  reply: Reply | undefined;
}

export class Viewing {
  readonly clock = new FakeClock();
  /** What the client was told outside of any request: messages' methods. */
  readonly announced: string[] = [];
  readonly fromService: string[] = [];
  readonly saved: string[] = [];
  readonly view: ServiceView;
  readonly #pending = new PendingTable();
  #session: FakeSession | undefined;
  #nextId = 1;

  constructor(storedText?: string) {
    const store: KnownAnswersStore = {
      load: () => storedText,
      save: (text) => Promise.resolve(void this.saved.push(text)),
    };
    this.view = new ServiceView({
      initialize: requestOf('init', 'initialize', { protocolVersion: '2025-03-26', capabilities: {} }),
      settings,
      clock: this.clock,
      rng: () => 0.5,
      observer: () => {},
      serviceHost: 'service.example',
      store,
      sink: {
        deliver: (message) => void this.fromService.push(message.method),
        ready: () => undefined,
      },
      openSession: (parts) => {
        this.#session = new FakeSession(parts);
        return this.#session.asSession;
      },
      announce: (line) =>
        void this.announced.push((JSON.parse(line.toString()) as { method: string }).method),
    });
  }

  get session(): FakeSession {
    if (this.#session === undefined) throw new Error('the view has opened no session');
    return this.#session;
  }

  /** The client introduces itself. */
  initialize(): Asked {
    const pending = this.#open('initialize');
    return watch(pending, this.view.initialize(pending));
  }

  /** The client asks for something else. */
  ask(method: string, params?: object): Asked {
    const pending = this.#open(method, params);
    return watch(pending, this.view.request(pending, { deliver: () => {}, ready: () => undefined }));
  }

  /** A client that has been introduced to the service, and to nothing older. */
  static async introduced(): Promise<Viewing> {
    const world = new Viewing();
    world.initialize();
    world.session.establish(SERVICE);
    await settle();
    return world;
  }

  /** A client that was introduced from memory. */
  static async remembering(lists: Readonly<Record<string, object>>, initialize?: object): Promise<Viewing> {
    const world = new Viewing(await remembered(lists, initialize));
    world.initialize();
    await settle();
    return world;
  }

  #open(method: string, params?: object): PendingRequest {
    const message = requestOf(this.#nextId, method, params);
    this.#nextId += 1;
    const pending = this.#pending.open(message, this.clock.now(), () => {})!;
    pending.expiresAt = this.clock.now() + 30_000;
    return pending;
  }
}

function watch(pending: PendingRequest, promise: Promise<Reply>): Asked {
  const asked: Asked = { pending, reply: undefined };
  void promise.then((reply) => (asked.reply = reply));
  return asked;
}

/** The result of an answer, or the code of an error, or what else the reply is. */
export function outcomeOf({ reply }: Asked): unknown {
  if (reply === undefined) return 'none yet';
  if (reply.kind === 'error') return reply.failure.code;
  if (reply.kind === 'silence') return 'silence';
  const { message } = reply;
  const span = message.spans.result ?? message.spans.error;
  return span === undefined ? undefined : JSON.parse(message.text(span));
}
