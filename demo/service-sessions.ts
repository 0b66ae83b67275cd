// Owns the sessions of the demo service: one MCP server and one transport for each, from `initialize` until DELETE,
// idleness, the session limit or the end of the service. Knows nothing of HTTP routing.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import { MemoryEventStore } from './event-store.ts';
import { registerNotes } from './notes-tools.ts';
import type { NotesStore } from './notes-store.ts';
import { registerWork } from './work-tools.ts';

const maxSessions = 32;
const idleMs = 30 * 60_000;

export const serviceInfo = { name: 'demo-notes', title: 'Demo notes', version: '1.0.0' };

export type CloseReason = 'deleted' | 'idle' | 'evicted' | 'forgotten' | 'stopped';

export type ServiceEvent =
  | { type: 'session-opened'; sessions: number; client: string }
  | { type: 'session-closed'; sessions: number; reason: CloseReason }
  | { type: 'tool-called'; tool: string }
  | { type: 'tool-abandoned'; tool: string };

export interface Session {
  readonly id: string;
  readonly transport: StreamableHTTPServerTransport;
  readonly server: McpServer;
  /** HTTP requests that are open now, the GET stream included. */
  open: number;
  lastUsed: number;
  /** Answers that must never arrive (see `ServiceFaults.loseNextAnswer`), and the responses that would carry them. */
  readonly lostAnswers: Map<RequestId, ServerResponse>;
}

export class Sessions {
  readonly #store: NotesStore;
  readonly #emit: (event: ServiceEvent) => void;
  readonly #live = new Map<string, Session>();
  readonly #sweep = setInterval(() => this.#closeIdle(), 60_000).unref();

  constructor(store: NotesStore, emit: (event: ServiceEvent) => void) {
    this.#store = store;
    this.#emit = emit;
  }

  get size(): number {
    return this.#live.size;
  }

  get(id: string): Session | undefined {
    return this.#live.get(id);
  }

  /** A session ready for its `initialize`; undefined when the limit is reached and every session is in use. */
  async create(): Promise<Session | undefined> {
    if (this.#live.size >= maxSessions && !(await this.#evictOne())) return undefined;
    const id = randomUUID();
    const server = new McpServer(serviceInfo, {
      capabilities: { logging: {} },
      instructions: 'Notes kept in a file: add, search, list and delete them.',
    });
    const events = new MemoryEventStore();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: events,
      onsessionclosed: () => this.#forget(id, 'deleted'),
    });
    const session: Session = {
      id,
      server,
      transport,
      open: 0,
      lastUsed: performance.now(),
      lostAnswers: new Map(),
    };
    registerNotes(server, this.#store, () => this.#announceNotes());
    registerWork(server, this.#store, (tool) => this.#emit({ type: 'tool-abandoned', tool }));
    server.server.oninitialized = () => {
      const { name = 'a client', version = '' } = server.server.getClientVersion() ?? {};
      this.#emit({ type: 'session-opened', sessions: this.#live.size, client: `${name} ${version}`.trim() });
    };
    interceptLostAnswers(session, events);
    await server.connect(transport);
    this.#live.set(id, session);
    return session;
  }

  /** Ends one session: its streams end, its running tools stop, its id is unknown from now on. */
  async close(session: Session, reason: CloseReason): Promise<void> {
    this.#forget(session.id, reason);
    await session.server.close();
  }

  async closeAll(reason: CloseReason): Promise<void> {
    await Promise.all([...this.#live.values()].map((session) => this.close(session, reason)));
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    await this.closeAll('stopped');
  }

  #forget(id: string, reason: CloseReason): void {
    if (this.#live.delete(id)) this.#emit({ type: 'session-closed', sessions: this.#live.size, reason });
  }

  #announceNotes(): void {
    for (const { server } of this.#live.values()) server.sendResourceListChanged();
  }

  #closeIdle(): void {
    for (const session of this.#live.values()) {
      if (session.open === 0 && performance.now() - session.lastUsed > idleMs)
        void this.close(session, 'idle');
    }
  }

  /** A client that was killed leaves its session behind; the one that is unused for longest makes room. */
  async #evictOne(): Promise<boolean> {
    const unused = [...this.#live.values()].filter(({ open }) => open === 0);
    const [oldest] = unused.sort((a, b) => a.lastUsed - b.lastUsed);
    if (oldest) await this.close(oldest, 'evicted');
    return oldest !== undefined;
  }
}

/**
 * The tool has run when its answer gets here, and neither a socket nor the event store has seen that answer. What the
 * store knows of its stream goes too: otherwise the client could come back with `Last-Event-ID` and wait for the rest.
 */
function interceptLostAnswers({ transport, lostAnswers }: Session, events: MemoryEventStore): void {
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    const id = 'result' in message || 'error' in message ? message.id : undefined;
    const response = id === undefined ? undefined : lostAnswers.get(id);
    if (id === undefined || !response) return send(message, options);
    lostAnswers.delete(id);
    events.clear();
    response.destroy();
  };
}
