// An event store in memory for the SDK's server: events of several streams, numbered across all of them.
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

export class MemoryEventStore implements EventStore {
  readonly #events: StoredEvent[] = [];

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const id = `event-${this.#events.length}`;
    this.#events.push({ id, streamId, message });
    return Promise.resolve(id);
  }

  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.#events.find((event) => event.id === id)?.streamId);
  }

  /** Sends what followed on the same stream; the empty event that only opens a stream is no message and is left out. */
  async replayEventsAfter(
    lastId: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const index = this.#events.findIndex((event) => event.id === lastId);
    const last = this.#events[index];
    if (last === undefined) throw new Error(`No event ${lastId} is stored.`);
    for (const { id, streamId, message } of this.#events.slice(index + 1)) {
      if (streamId === last.streamId && 'jsonrpc' in message) await send(id, message);
    }
    return last.streamId;
  }
}
