// Keeps what one session sent, so that a client that lost its stream can ask for the rest (`Last-Event-ID`).
// In memory and bounded: the oldest events go first, and a client that comes back too late hears that.
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

interface StoredEvent {
  number: number;
  streamId: string;
  message: JSONRPCMessage;
  chars: number;
}

const maxEvents = 1024;
const maxChars = 4 * 1024 * 1024;

export class MemoryEventStore implements EventStore {
  readonly #events: StoredEvent[] = [];
  #chars = 0;
  #lastNumber = 0;

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const event = { number: ++this.#lastNumber, streamId, message, chars: JSON.stringify(message).length };
    this.#events.push(event);
    this.#chars += event.chars;
    while (this.#events.length > maxEvents || this.#chars > maxChars) {
      this.#chars -= this.#events.shift()?.chars ?? 0;
    }
    return `${event.number}/${streamId}`;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#find(eventId)?.streamId;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = this.#find(lastEventId);
    if (!last) throw new Error('The event is not known, or no longer');
    for (const event of this.#events.filter((each) => each.streamId === last.streamId)) {
      // A priming event carries an id and no message: there is nothing to replay in it.
      if (event.number > last.number && 'jsonrpc' in event.message) {
        await send(`${event.number}/${event.streamId}`, event.message);
      }
    }
    return last.streamId;
  }

  /** Whoever asks for the rest of a stream that has begun hears that it is gone. */
  clear(): void {
    this.#events.length = 0;
    this.#chars = 0;
  }

  #find(eventId: string): StoredEvent | undefined {
    const number = Number.parseInt(eventId, 10);
    return this.#events.find((event) => event.number === number && eventId === `${number}/${event.streamId}`);
  }
}
