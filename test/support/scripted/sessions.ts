// Sessions of the scripted service and their event streams. A stream outlives the response that carries it: what is
// sent while no response is attached is kept and replayed to the one that resumes it.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { idTextOf, type RpcMessage } from './messages.ts';

interface SentEvent {
  id: string;
  data: string;
}

export class EventStream {
  readonly id: string;
  readonly #withIds: boolean;
  #events: SentEvent[] = [];
  #response: ServerResponse | undefined;
  #done = false;

  constructor(id: string, withIds: boolean) {
    this.id = id;
    this.#withIds = withIds;
  }

  /** A response carries it now. */
  get isOpen(): boolean {
    return this.#response !== undefined;
  }

  /** Opens the response as `text/event-stream` and sends what came after the event that the peer has seen last. */
  attach(response: ServerResponse, afterEventId?: string, headers: Record<string, string> = {}): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers });
    response.flushHeaders();
    this.#response = response;
    response.once('close', () => {
      if (this.#response === response) this.#response = undefined;
    });
    if (afterEventId !== undefined) {
      const last = this.#events.findIndex((event) => event.id === afterEventId);
      for (const event of this.#events.slice(last + 1)) this.#write(event);
    }
    if (this.#done) this.cut();
  }

  /** Sends one JSON-RPC message. */
  send(text: string): void {
    const event = { id: `${this.id}/${this.#events.length + 1}`, data: text };
    this.#events.push(event);
    this.#write(event);
  }

  /** An event with an id and no data, which lets the peer resume before anything else was sent (2025-11-25). */
  prime(): void {
    this.send('');
  }

  /** Asks the peer to wait so long before it comes back. */
  retry(ms: number): void {
    this.raw(`retry: ${ms}\n\n`);
  }

  /** Bytes as they are, outside the kept events. */
  raw(text: string): void {
    this.#response?.write(text);
  }

  /** Ends the response; the stream can be resumed. */
  cut(): void {
    this.#response?.end();
    this.#response = undefined;
  }

  /** Nothing will follow: ends the response, also that of a later resumption. */
  complete(): void {
    this.#done = true;
    this.cut();
  }

  #write(event: SentEvent): void {
    const id = this.#withIds ? `id: ${event.id}\n` : '';
    this.#response?.write(`${id}${dataLines(event.data)}\n`);
  }
}

/** The `data:` lines of a text, which may span several. */
export const dataLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('');

export class Session {
  readonly id: string = randomUUID();
  protocolVersion = '2025-11-25';
  /** The stream of the standing GET, kept after its response ended. */
  listen: EventStream | undefined;
  /** Tool calls that run, by the text of their request id. */
  readonly running = new Map<string, AbortController>();
  readonly #streams = new Map<string, EventStream>();
  readonly #asked = new Map<string, (answer: RpcMessage) => void>();
  readonly #withIds: boolean;

  constructor(withIds: boolean) {
    this.#withIds = withIds;
  }

  openStream(): EventStream {
    const stream = new EventStream(`${this.id.slice(0, 8)}-${this.#streams.size + 1}`, this.#withIds);
    this.#streams.set(stream.id, stream);
    return stream;
  }

  streamOf(eventId: string): EventStream | undefined {
    return this.#streams.get(eventId.slice(0, eventId.lastIndexOf('/')));
  }

  /** Resolves with the answer that the client will post for this id. */
  answerTo(id: unknown): Promise<RpcMessage> {
    return new Promise((resolve) => this.#asked.set(idTextOf(id), resolve));
  }

  takeAnswer(answer: RpcMessage): void {
    const key = idTextOf(answer.id);
    this.#asked.get(key)?.(answer);
    this.#asked.delete(key);
  }

  cancel(requestId: unknown): void {
    this.running.get(idTextOf(requestId))?.abort();
  }
}
