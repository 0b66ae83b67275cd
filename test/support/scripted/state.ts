// What a scripted service remembers: its options, its sessions and its record.
import { isAnswer, type JsonObject, type RpcMessage } from './messages.ts';
import { ServiceRecord } from './record.ts';
import { Session, type EventStream } from './sessions.ts';

export interface ServiceOptions {
  /** How a request is answered where the script says nothing. */
  answers: 'json' | 'sse';
  /** Whether a GET stream is offered; without one, GET gets 405. */
  getStream: boolean;
  /** Whether sessions have ids (FB4 where not). */
  sessions: boolean;
  /** Whether events have ids, so that streams can be resumed. */
  eventIds: boolean;
  /** Whether each POST stream begins with an empty event that carries an id. */
  prime: boolean;
  /** Speaks HTTP+SSE of 2024-11-05 instead: GET on this path opens the stream, POST on it is refused with 405. */
  legacyPath: string | undefined;
  /** What `initialize` answers, beside the revision. */
  initializeResult: JsonObject;
}

export const defaultOptions: ServiceOptions = {
  answers: 'json',
  getStream: true,
  sessions: true,
  eventIds: true,
  prime: false,
  legacyPath: undefined,
  initializeResult: {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
    },
    serverInfo: { name: 'scripted-service', version: '1.0.0' },
  },
};

export class ServiceState {
  readonly options: ServiceOptions;
  readonly record = new ServiceRecord();
  readonly sessions = new Map<string, Session>();
  /** Serves requests that belong to no session, where the service keeps none. */
  readonly anonymous: Session;
  /** Aborted when the service ends. */
  readonly closing: AbortSignal;
  readonly #onChange: () => void;
  #asked = 0;

  constructor(options: ServiceOptions, closing: AbortSignal, onChange: () => void) {
    this.options = options;
    this.closing = closing;
    this.#onChange = onChange;
    this.anonymous = new Session(options.eventIds);
  }

  get hasSessions(): boolean {
    return this.options.sessions;
  }

  get initializeResult(): JsonObject {
    return this.options.initializeResult;
  }

  newSession(): Session {
    if (!this.options.sessions) return this.anonymous;
    const session = new Session(this.options.eventIds);
    this.sessions.set(session.id, session);
    return session;
  }

  sessionOf(id: string | undefined): Session | undefined {
    return id === undefined ? undefined : this.sessions.get(id);
  }

  endSession(session: Session): void {
    this.sessions.delete(session.id);
    session.listen?.complete();
    this.record.deleted.push(session.id);
    this.#onChange();
  }

  forgetSessions(): void {
    for (const session of this.sessions.values()) session.listen?.complete();
    this.sessions.clear();
  }

  /** Takes in a message that gets no answer: a notification, or the client's answer to a request of ours. */
  takeIn(message: RpcMessage, session: Session): void {
    if (isAnswer(message)) {
      this.record.answers.push(message);
      session.takeAnswer(message);
    } else if (message.method === 'notifications/cancelled') {
      this.record.cancelled.push(message.params?.['requestId']);
      session.cancel(message.params?.['requestId']);
    }
    this.#onChange();
  }

  /** Sends a request to the client, on this stream or else the standing one, and waits for its answer. */
  ask(session: Session, method: string, params: object, stream = session.listen): Promise<RpcMessage> {
    if (stream === undefined) throw new Error('No stream is open that could carry a request to the client.');
    this.#asked += 1;
    const id = `ask-${this.#asked}`;
    const answer = session.answerTo(id);
    stream.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return answer;
  }

  /** A standing stream was opened or left. */
  noteStream(session: Session, stream: EventStream): void {
    session.listen = stream;
    this.#onChange();
  }
}
