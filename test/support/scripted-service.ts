// An MCP service in the test's own process that does on request what real ones do only in bad moments. It behaves well
// until its script says otherwise:
//
//   const service = await ScriptedService.start({ answers: 'sse' });
//   service.once({ tool: 'write' }, resetAfter);            // actions: scripted/actions.ts
//   service.always({ rpc: 'tools/list', nth: 2 }, busy(503, '1'));
//   …
//   service.record.executions.get('order-1')                // what it saw: scripted/record.ts
//   await service.until(() => service.record.cancelled.length === 1);
//
// Tools: read, write, idempotent, slow {ms}, echo {value}, big {bytes}, progress {steps}, ask {method, params}. Each
// takes `key`, by which executions are counted, and `ms`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Exchange } from './scripted/exchange.ts';
import { answerLegacy } from './scripted/legacy.ts';
import { notificationText, type RpcMessage } from './scripted/messages.ts';
import { recordOf, type ServiceRecord } from './scripted/record.ts';
import { Script, type Action, type Matcher, type Rule } from './scripted/script.ts';
import type { Session } from './scripted/sessions.ts';
import { SocketTable, type Welcome } from './scripted/sockets.ts';
import { defaultOptions, ServiceState, type ServiceOptions } from './scripted/state.ts';
import { answerStreamable } from './scripted/streamable.ts';
import { afterFairMs } from './fair-time.ts';

export * from './scripted/actions.ts';
export type { Action, Exchange, Matcher, RpcMessage, Rule, ServiceOptions };

export class ScriptedService implements AsyncDisposable {
  readonly #state: ServiceState;
  readonly #script = new Script();
  readonly #sockets: SocketTable;
  readonly #http: Server;
  readonly #closing = new AbortController();
  readonly #watchers = new Set<() => void>();
  readonly #failures: unknown[] = [];
  #port = 0;

  private constructor(options: Partial<ServiceOptions>) {
    const onChange = (): void => this.#changed();
    this.#state = new ServiceState({ ...defaultOptions, ...options }, this.#closing.signal, onChange);
    this.#http = createServer(
      { requestTimeout: 0, keepAliveTimeout: 0 },
      (req, res) => void this.#serve(req, res),
    );
    this.#sockets = new SocketTable((socket) => this.#http.emit('connection', socket), onChange);
  }

  static async start(options: Partial<ServiceOptions> = {}): Promise<ScriptedService> {
    const service = new ScriptedService(options);
    service.#port = await service.#sockets.listen(0);
    return service;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where clients connect to. */
  get url(): string {
    return this.origin + (this.#state.options.legacyPath ?? '/mcp');
  }

  get record(): ServiceRecord {
    return this.#state.record;
  }

  /** Options may be changed while it runs; they hold for the next request. */
  get options(): ServiceOptions {
    return this.#state.options;
  }

  // ── script ────────────────────────────────────────────────────────────────

  /** The first request that fits gets this action. */
  once(matcher: Matcher, action: Action): Rule {
    return this.#script.add(matcher, action, true);
  }

  /** Every request that fits gets this action, until the rule is removed. */
  always(matcher: Matcher, action: Action): Rule {
    return this.#script.add(matcher, action, false);
  }

  /** Behaves well again. */
  clearScript(): void {
    this.#script.clear();
  }

  // ── what goes wrong by itself ─────────────────────────────────────────────

  /** Resets every connection; sessions stay. */
  cutAll(): void {
    this.#sockets.resetAll();
  }

  /** Ends the standing GET streams in an orderly way; they can be resumed. */
  cutGetStreams(): void {
    for (const session of this.#allSessions()) session.listen?.cut();
  }

  /** Every session id is unknown from now on. */
  forgetSessions(): void {
    this.#state.forgetSessions();
  }

  /**
   * Bytes vanish on all open connections in both directions, while they stay open. `welcome` says what happens to new
   * connections meanwhile. Ends with `heal`.
   */
  blackHole(welcome: Welcome = 'serve'): void {
    this.#sockets.welcome = welcome;
    for (const socket of this.#sockets.open) socket.silence();
  }

  /** New connections are served again. Silent ones go on where they stopped, or are reset, or stay silent. */
  heal(old: 'resume' | 'reset' | 'silent' = 'resume'): void {
    this.#sockets.welcome = 'serve';
    if (old === 'reset') this.#sockets.resetAll();
    if (old === 'resume') for (const socket of this.#sockets.open) socket.speak();
  }

  /** What happens to new connections; those that are open stay as they are. */
  welcome(welcome: Welcome): void {
    this.#sockets.welcome = welcome;
  }

  /** Closes the port and all connections, as when the process dies; sessions are gone unless they are kept. */
  stop(options: { keepSessions?: boolean } = {}): void {
    this.#sockets.stopListening();
    this.#sockets.resetAll();
    if (!options.keepSessions) this.#state.forgetSessions();
  }

  /** Listens on the same port again. */
  async comeBack(): Promise<void> {
    await this.#sockets.listen(this.#port);
  }

  /** `stop`, then `comeBack` after so many milliseconds. */
  async restart(downMs = 0, options: { keepSessions?: boolean } = {}): Promise<void> {
    this.stop(options);
    await new Promise((resolve) => setTimeout(resolve, downMs));
    await this.comeBack();
  }

  // ── messages that the service sends by itself ─────────────────────────────

  /** Sends a notification on the standing GET stream of every session. Returns how many streams are open. */
  notify(method: string, params?: object): number {
    return this.pushRaw(notificationText(method, params));
  }

  /** Sends a text on the standing GET stream of every session. */
  pushRaw(text: string): number {
    let open = 0;
    for (const { listen } of this.#allSessions()) {
      listen?.send(text);
      if (listen?.isOpen) open += 1;
    }
    return open;
  }

  /** Sends a request on the standing GET stream of the newest session, and waits for the client's answer. */
  ask(method: string, params: object = {}): Promise<RpcMessage> {
    const session = this.#allSessions().findLast(({ listen }) => listen !== undefined);
    if (session === undefined) throw new Error('No session has opened a GET stream.');
    return this.#state.ask(session, method, params);
  }

  // ── what can be seen ──────────────────────────────────────────────────────

  get sessionCount(): number {
    return this.#state.sessions.size;
  }

  get openGetStreams(): number {
    return this.#allSessions().filter(({ listen }) => listen?.isOpen).length;
  }

  get openSockets(): number {
    return this.#sockets.open.size;
  }

  /** Connections ever accepted. */
  get socketsOpened(): number {
    return this.#sockets.opened;
  }

  /** Resolves as soon as the condition holds; it is asked again whenever something happened here. */
  async until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (condition()) settle(resolve);
      };
      const callOff = afterFairMs(timeoutMs, () => {
        settle(() =>
          reject(new Error(`Not within ${timeoutMs} ms: ${String(condition)}\nSeen: ${this.#summary()}`)),
        );
      });
      const settle = (then: () => void): void => {
        callOff();
        this.#watchers.delete(check);
        then();
      };
      this.#watchers.add(check);
    });
  }

  /** Ends it. Fails when an action or the service itself failed, so that no test passes on a broken fixture. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.stop();
    await this.until(() => this.openSockets === 0);
    this.#http.close();
    if (this.#failures.length > 0)
      throw new AggregateError(this.#failures, 'The scripted service itself failed.');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── serving ───────────────────────────────────────────────────────────────

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // A connection that breaks under an answer is what this service is for.
    res.on('error', () => {});
    const { record } = this.#state;
    const early = this.#script.take(recordOf(-1, req, Buffer.alloc(0)), true);
    const body = early ? Buffer.alloc(0) : await readAll(req);
    if (body === undefined) return;
    const request = recordOf(record.requests.length, req, body);
    if (!early) record.requests.push(request);
    const action = early ?? this.#script.take(request);
    this.#changed();
    res.once('close', () => this.#changed());
    try {
      const exchange = new Exchange(request, req, res, this.#state, (each) => this.#answer(each));
      await (action ? action(exchange) : exchange.normal());
    } catch (error) {
      if (!this.#closing.signal.aborted && !res.destroyed) this.#failures.push(error);
      if (!res.headersSent) res.writeHead(500);
      res.end();
    }
    this.#changed();
  }

  async #answer(exchange: Exchange): Promise<void> {
    if (this.#state.options.legacyPath !== undefined) return answerLegacy(exchange);
    if (exchange.request.path.split('?')[0] === '/mcp') return answerStreamable(exchange);
    exchange.respond(404, 'text/plain', 'Not found');
  }

  #allSessions(): Session[] {
    return [this.#state.anonymous, ...this.#state.sessions.values()];
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }

  #summary(): string {
    return this.record.requests
      .slice(-20)
      .map(({ http, rpc, tool }) => [http, rpc, tool].filter(Boolean).join(' '))
      .join(', ');
  }
}

/** The whole body; undefined when the connection broke before its end. */
async function readAll(req: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of req) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
