// What a client has told that a new daemon must be told again: how it introduced itself, its log level, its subscriptions.

import { clientName } from '../bridge/client-kind.ts';
import { Envelope } from '../protocol/envelope.ts';
import { splice } from '../protocol/splice.ts';

/** More subscriptions than this are not told again. */
const MAX_SUBSCRIPTIONS = 1000;

export class ConversationMemory {
  #initialize: Envelope | undefined;
  #initialized: Buffer | undefined;
  /** Requests by what they set. */
  readonly #set = new Map<string, Envelope>();
  #nextId = 1;

  get isIntroduced(): boolean {
    return this.#initialize !== undefined;
  }

  get clientName(): string | undefined {
    return this.#initialize && clientName(this.#initialize);
  }

  noteRequest(message: Envelope): void {
    const { method, spans } = message;
    switch (method) {
      case 'initialize':
        this.#initialize = own(message);
        this.#initialized = undefined;
        this.#set.clear();
        return;
      case 'logging/setLevel':
        this.#set.set(method, own(message));
        return;
      case 'resources/subscribe':
      case 'resources/unsubscribe': {
        if (spans.uri === undefined) return;
        const uri = message.text(spans.uri);
        if (method === 'resources/unsubscribe') this.#set.delete(uri);
        else if (this.#set.size < MAX_SUBSCRIPTIONS) this.#set.set(uri, own(message));
        return;
      }
      default:
    }
  }

  noteNotification(message: Envelope): void {
    if (message.method === 'notifications/initialized') this.#initialized = own(message).bytes;
  }

  /** The lines that make a new daemon know the client; requests come with the id under which their reply will be. */
  retell(): { readonly id: string | undefined; readonly method: string; readonly line: Buffer }[] {
    const initialize = this.#initialize;
    if (initialize === undefined) return [];
    const ask = (message: Envelope): { id: string; method: string; line: Buffer } => {
      const id = `"mcp-bridge-${this.#nextId}"`;
      this.#nextId += 1;
      const text = message.id === null ? message.bytes : splice(message, [{ span: message.id, text: id }]);
      return { id, method: message.method, line: withEnd(text) };
    };
    const initialized =
      this.#initialized === undefined
        ? []
        : [{ id: undefined, method: 'notifications/initialized', line: withEnd(this.#initialized) }];
    return [ask(initialize), ...initialized, ...[...this.#set.values()].map(ask)];
  }
}

function withEnd(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.from('\n')]);
}

/** Does not hold on to the chunk that it came in. */
function own(message: Envelope): Envelope {
  return new Envelope(message, Buffer.from(message.bytes));
}
