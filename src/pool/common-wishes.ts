// What the clients of one session have set at the service, taken together. The service gets the most verbose log level that
// any of them wants, and each hears its own; a subscription lasts until the last one who wants it ends it or leaves.
//
// Changes of one thing take turns, so that two clients' wishes cannot overtake each other on the way and leave the service
// with the wrong one.

import { Abort, type Signal } from '../platform/abort.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import { scanEnvelope, stringAt, type Envelope } from '../protocol/envelope.ts';
import { ownMessage } from '../protocol/own-message.ts';
import { splice } from '../protocol/splice.ts';
import type { ClientSink, Question } from '../upstream/call.ts';
import type { SessionMemory } from '../upstream/memory.ts';
import { Turns } from './turns.ts';
import { isAtLeast, logLevel, mostVerbose, Wishes, type LogLevel } from './wishes.ts';

/** For clients that have set none, once others have: what most services send unasked. */
const USUAL_LEVEL: LogLevel = 'info';
/** How many of a departed client's subscriptions are ended at the service at once. */
const UNDO_AT_ONCE = 8;

const LEVEL_TURN = '';
const NEVER: Signal = new Abort();
const QUIET: ClientSink = { deliver: () => {}, ready: () => undefined };

/** A way to ask the service. Never rejects. */
export type Ask = (question: Question, signal: Signal) => Promise<AttemptOutcome>;

interface Change {
  readonly wishes: Wishes;
  readonly question: Question;
  readonly signal: Signal;
  readonly ask: Ask;
}

export interface CommonWishesOptions {
  readonly memory: SessionMemory;
  /** Asks on the session within a time limit, for nobody; does nothing while there is no session. Never rejects. */
  readonly askQuietly: (question: Question) => Promise<unknown>;
}

export class CommonWishes {
  readonly #options: CommonWishesOptions;
  readonly #members = new Set<Wishes>();
  readonly #turns = new Turns();
  /** Whether anybody has ever set a log level: until then the service sends what it likes, to all. */
  #levelAtService: LogLevel | undefined;

  constructor(options: CommonWishesOptions) {
    this.#options = options;
  }

  join(): Wishes {
    const wishes = new Wishes();
    this.#members.add(wishes);
    return wishes;
  }

  /** Undoes at the service what nobody else wants, without waiting for it. */
  leave(wishes: Wishes): void {
    if (!this.#members.delete(wishes)) return;
    const { memory } = this.#options;
    const unwanted = [...wishes.uris].filter((uri) => !this.#isWanted(uri));
    // A session to come must not be told of them, whatever becomes of this one.
    for (const uri of unwanted) memory.note(unsubscribe(uri));
    for (let n = 0; n < Math.min(UNDO_AT_ONCE, unwanted.length); n += 1) void this.#undo(unwanted);
    if (wishes.level !== undefined && this.#commonLevel() !== this.#levelAtService) {
      memory.note(setLevel(this.#commonLevel()));
      void this.#lowerVoice();
    }
  }

  /** True for a request that changes what a client has set, which `change` is for. */
  static concerns(method: string): boolean {
    return (
      method === 'logging/setLevel' || method === 'resources/subscribe' || method === 'resources/unsubscribe'
    );
  }

  /**
   * Sends a client's change on, as far as it changes anything for all. Never rejects.
   * @param ask on the session, or per-request where there is none: then it is for the session to come
   */
  async change(change: Change): Promise<AttemptOutcome> {
    const { question, signal, ask } = change;
    const { spans, method } = question.request;
    const isLevel = method === 'logging/setLevel';
    const text = stringAt(question.request, isLevel ? spans.level : spans.uri);
    // What is not as it should be is the service's to refuse.
    if (text === undefined) return ask(question, signal);
    const outcome = await this.#turns.take(isLevel ? LEVEL_TURN : text, signal, () => {
      if (isLevel) return this.#setLevel(text, change);
      return method === 'resources/subscribe'
        ? this.#subscribe(text, change)
        : this.#unsubscribe(text, change);
    });
    return outcome ?? { kind: 'aborted', progress: 'not-sent' };
  }

  /** Whether a client wants this notifications/message. */
  hears({ level: own }: Wishes, message: Envelope): boolean {
    const level = logLevel(stringAt(message, message.spans.level));
    if (level === undefined || this.#levelAtService === undefined) return true;
    return isAtLeast(level, own ?? USUAL_LEVEL);
  }

  /** For whom an update of this resource is. */
  audience(uri: string | undefined): (wishes: Wishes) => boolean {
    const members = [...this.#members];
    if (uri !== undefined && members.some((wishes) => wishes.covers(uri)))
      return (wishes) => wishes.covers(uri);
    // A service may name a part of what was subscribed to by any URI, and some send updates unasked.
    if (members.some(({ uris }) => uris.size > 0)) return ({ uris }) => uris.size > 0;
    return () => true;
  }

  async #setLevel(text: string, { wishes, question, signal, ask }: Change): Promise<AttemptOutcome> {
    const level = logLevel(text);
    if (level === undefined) return ask(question, signal);
    const before = wishes.level;
    wishes.level = level;
    const common = this.#commonLevel();
    const request = common === level ? question.request : withLevel(question.request, common);
    const outcome = await ask({ ...question, request }, signal);
    if (isGranted(outcome)) this.#levelAtService = common;
    else if (wishes.level === level) wishes.level = before;
    return outcome;
  }

  async #subscribe(uri: string, { wishes, question, signal, ask }: Change): Promise<AttemptOutcome> {
    // From now on, because an update may come before the answer; and one who leaves meanwhile ends it.
    const isNew = wishes.add(uri);
    const outcome = await ask(question, signal);
    if (isNew && !isGranted(outcome)) wishes.remove(uri);
    return outcome;
  }

  async #unsubscribe(uri: string, { wishes, question, signal, ask }: Change): Promise<AttemptOutcome> {
    if (this.#isWanted(uri, wishes)) {
      wishes.remove(uri);
      return { kind: 'answered', message: ownMessage('{"jsonrpc":"2.0","id":0,"result":{}}') };
    }
    const outcome = await ask(question, signal);
    if (isGranted(outcome)) wishes.remove(uri);
    return outcome;
  }

  /** Takes from the list until it is empty. */
  async #undo(uris: string[]): Promise<void> {
    for (let uri = uris.pop(); uri !== undefined; uri = uris.pop()) {
      const ended = uri;
      await this.#turns.take(ended, NEVER, async () => {
        // Somebody may have asked for it again.
        if (!this.#isWanted(ended)) await this.#options.askQuietly(quietly(unsubscribe(ended)));
      });
    }
  }

  async #lowerVoice(): Promise<void> {
    await this.#turns.take(LEVEL_TURN, NEVER, async () => {
      const level = this.#commonLevel();
      if (level === this.#levelAtService) return;
      this.#levelAtService = level;
      await this.#options.askQuietly(quietly(setLevel(level)));
    });
  }

  #isWanted(uri: string, except?: Wishes): boolean {
    for (const wishes of this.#members) if (wishes !== except && wishes.uris.has(uri)) return true;
    return false;
  }

  #commonLevel(): LogLevel {
    return mostVerbose([...this.#members].map(({ level }) => level)) ?? USUAL_LEVEL;
  }
}

function isGranted(outcome: AttemptOutcome): boolean {
  return outcome.kind === 'answered' && !outcome.message.isError;
}

function quietly(request: Envelope): Question {
  return { request, sink: QUIET, safety: 'safe' };
}

function setLevel(level: LogLevel): Envelope {
  return ownMessage(`{"jsonrpc":"2.0","id":0,"method":"logging/setLevel","params":{"level":"${level}"}}`);
}

function unsubscribe(uri: string): Envelope {
  const params = JSON.stringify({ uri });
  return ownMessage(`{"jsonrpc":"2.0","id":0,"method":"resources/unsubscribe","params":${params}}`);
}

/** The client's request with another level in it. */
function withLevel(request: Envelope, level: LogLevel): Envelope {
  const span = request.spans.level;
  const scan =
    span === undefined ? undefined : scanEnvelope(splice(request, [{ span, text: JSON.stringify(level) }]));
  return scan?.kind === 'message' ? scan.message : request;
}
