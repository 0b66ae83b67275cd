// The one owner of what is expensive: takes clients in, stays for a while when the last one has gone, hands over to a newer
// version, and ends cleanly.

import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import type { KnownAnswersStore } from '../bridge/known-answers.ts';
import type { ServiceViewOptions } from '../bridge/service-view.ts';
import type { OfferSignIn } from '../bridge/sign-in-offer.ts';
import { ConfigFollower } from '../config/config-follower.ts';
import type { ConfigPlaces } from '../config/layers.ts';
import type { Profile, Resolved } from '../config/resolve.ts';
import { SETTINGS, type Settings } from '../config/settings.ts';
import type { Labels, Observer } from '../observe/events.ts';
import {
  MAX_LINE_HEADER,
  NEEDS_HEADER,
  TIME_LIMITS_HEADER,
  UPGRADE_NAME,
  VERSION_HEADER,
} from '../platform/attach-protocol.ts';
import { sleep, type Clock, type Timer } from '../platform/clock.ts';
import type { Rng } from '../platform/random.ts';
import type { Envelope } from '../protocol/envelope.ts';
import { Client } from './client.ts';
import type { ControlHandlers, DaemonFacts } from './control.ts';
import { readLaunchLine, resolveAgain, resolveLaunch } from './launch.ts';
import { LocalServer, refuseUpgrade } from './local-server.ts';
import { isNewer } from './version.ts';

export interface ClientContext {
  readonly profile: Profile;
  readonly settings: Settings;
  readonly observer: Observer;
}

export interface DaemonOptions {
  readonly socketPath: string;
  readonly secret: string;
  readonly version: string;
  readonly configPlaces: ConfigPlaces;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly control: ControlHandlers;
  /** From then on another daemon may take this one's place. */
  readonly releaseLock: () => void;
  readonly observerFor: (labels: Labels) => Observer;
  readonly openSession: (
    client: ClientContext,
    parts: Parameters<ServiceViewOptions['openSession']>[0],
  ) => ReturnType<ServiceViewOptions['openSession']>;
  readonly openStore: (client: ClientContext, initialize: Envelope) => KnownAnswersStore;
  readonly offerSignIn: (client: ClientContext, ...want: Parameters<OfferSignIn>) => ReturnType<OfferSignIn>;
  /** Ends every session, as far as `signal` leaves time for it. */
  readonly closeSessions: (signal: AbortSignal) => Promise<void>;
  /** How much its clients want to be told of; called with every change. */
  readonly onLogLevel: (level: Settings['logLevel']) => void;
}

const LEVELS = SETTINGS.logLevel.choices;
const MAX_CLIENTS = 256;
/** How long the first client may take to come, in milliseconds. */
const FIRST_CLIENT_MS = 30_000;
/** How long a newer daemon may take to come, and the clients of this one to go to it, in milliseconds. */
const SUCCESSOR_MS = 5000;
const DRAIN_MS = 1_800_000;
const LOOK_EVERY_MS = 25;
/** How long fronts may take to hang up when they are told to, and the sessions to end, in milliseconds. */
const BYE_MS = 1000;
const CLOSE_MS = 1500;

export class Daemon {
  /** Resolves when the process may end. */
  readonly ended: Promise<void>;
  readonly #options: DaemonOptions;
  readonly #server: LocalServer;
  readonly #config: ConfigFollower;
  /** With what each wants to be told of. */
  readonly #clients = new Map<Client, Settings>();
  readonly #startedAt: string;
  #state: DaemonFacts['state'] = 'serving';
  #leaving: Timer | undefined;
  /** How long to stay for, as the last client wants it. */
  #lingerMs = FIRST_CLIENT_MS;
  #clientCount = 0;
  #faults = 0;
  #lastFault: string | undefined;
  #settleEnded: () => void = () => {};

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock.wallTime()).toISOString();
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.#config = new ConfigFollower({
      places: options.configPlaces,
      clock: options.clock,
      onChange: (reason) => {
        this.#tellLogLevel();
        options.observerFor({ profile: '' })({ type: 'config.changed', reason });
      },
    });
    this.#server = new LocalServer({
      socketPath: options.socketPath,
      secret: options.secret,
      control: options.control,
      facts: () => this.facts(),
      onAttach: (request, socket, head) => void this.#attach(request, socket, head),
      onShutdown: (isHandOver) => void (isHandOver ? this.handOver() : this.end('it was asked to')),
    });
  }

  /** @throws Error where the socket cannot be used */
  async listen(): Promise<void> {
    await this.#server.listen();
    this.#tell('started', `version ${this.#options.version}`);
    this.#linger();
  }

  facts(): DaemonFacts {
    return {
      pid: process.pid,
      version: this.#options.version,
      startedAt: this.#startedAt,
      state: this.#state,
      clients: this.#clients.size,
      faults: this.#faults,
      lastFault: this.#lastFault,
    };
  }

  noteFault(error: unknown): void {
    this.#faults += 1;
    this.#tell('fault', 'an error that nothing expected; GET /status tells where');
    // The place is enough to find it; the text could hold anything.
    this.#lastFault =
      error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? error.name) : 'unknown';
  }

  /** Makes room for a newer daemon; ends when the clients have moved there. */
  async handOver(): Promise<void> {
    if (this.#state !== 'serving') return;
    this.#state = 'draining';
    this.#tell('draining', 'a newer version takes over');
    this.#leaving?.cancel();
    this.#leave();
    const { clock } = this.#options;
    const until = clock.now() + SUCCESSOR_MS;
    // Sent away sooner, the older fronts would start an older daemon.
    while (this.#clients.size > 0 && clock.now() < until && !(await this.#hasSuccessor()))
      await sleep(clock, LOOK_EVERY_MS);
    clock.after(DRAIN_MS, () => void this.end('its clients took too long to leave'));
    for (const client of this.#clients.keys()) client.drain();
    if (this.#clients.size === 0) await this.end('it has handed over');
  }

  /** Ends every session and the process. */
  async end(reason: string): Promise<void> {
    if (this.#state === 'ending') return;
    const wasServing = this.#state === 'serving';
    this.#state = 'ending';
    this.#tell('ended', reason);
    this.#leaving?.cancel();
    if (wasServing) this.#leave();
    const clients = [...this.#clients.keys()];
    for (const client of clients) client.sayBye();
    // A front that is held up, by a debugger or a full pipe, does not keep this process.
    const patience = this.#options.clock.after(BYE_MS, () => {
      for (const client of clients) client.drop();
    });
    // What fails in one conversation is noted, and keeps this process no longer either.
    await Promise.allSettled(clients.map((client) => client.ended));
    patience.cancel();
    const limit = new AbortController();
    const timer = this.#options.clock.after(CLOSE_MS, () => limit.abort());
    await this.#options.closeSessions(limit.signal).catch((error: unknown) => this.noteFault(error));
    this.#config.close();
    timer.cancel();
    this.#settleEnded();
  }

  /** First the socket, then the lock: who has the lock may take away what lies at the socket's path. */
  #leave(): void {
    this.#server.stopListening();
    this.#options.releaseLock();
  }

  #hasSuccessor(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ path: this.#options.socketPath });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }

  async #attach(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { clock, configPlaces, version } = this.#options;
    const front = request.headers[VERSION_HEADER];
    if (typeof front === 'string' && isNewer(front, version)) void this.handOver();
    if (this.#state !== 'serving') {
      refuseUpgrade(socket, 409, 'This process makes room for a newer one.');
      return;
    }
    if (this.#clients.size >= MAX_CLIENTS) {
      refuseUpgrade(socket, 503, `${MAX_CLIENTS} clients are attached already.`);
      return;
    }
    const line = await readLaunchLine(socket, head, clock);
    if (line === undefined) {
      refuseUpgrade(socket, 408, 'No launch came with the request to attach.');
      return;
    }
    if (this.#state !== 'serving') {
      refuseUpgrade(socket, 409, 'This process ends.');
      return;
    }
    const verdict = resolveLaunch(line, configPlaces);
    switch (verdict.kind) {
      case 'needs':
        refuseUpgrade(socket, 428, 'More variables are needed.', {
          [NEEDS_HEADER]: verdict.variables.join(','),
        });
        return;
      case 'refused':
        refuseUpgrade(socket, 400, verdict.message);
        return;
      case 'resolved':
        this.#admit(
          socket,
          this.#config.follow(verdict.resolved, () => resolveAgain(line, configPlaces)),
        );
    }
  }

  #admit(socket: Socket, resolved: Resolved): void {
    const { clock, rng, version, observerFor, openSession, openStore, offerSignIn } = this.#options;
    const { profile, settings } = resolved;
    socket.setTimeout(0);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_NAME}\r\n${VERSION_HEADER}: ${version}\r\n${MAX_LINE_HEADER}: ${settings.maxLineBytes}\r\n${TIME_LIMITS_HEADER}: ${settings.requestTimeoutMs},${settings.toolTimeoutMs},${settings.toolTimeoutMaxMs}\r\n\r\n`,
    );
    this.#clientCount += 1;
    this.#tellLogLevel([settings.logLevel]);
    const observer = observerFor({ profile: profile.name, client: String(this.#clientCount) });
    const { origin, pathname } = profile.url;
    observer({ type: 'client.attached', service: `${origin}${pathname}`, by: 'socket' });
    const context: ClientContext = { profile, settings, observer };
    const client = new Client({
      socket,
      resolved,
      clock,
      rng,
      observer,
      openSession: (parts) => openSession(context, parts),
      openStore: (initialize) => openStore(context, initialize),
      offerSignIn: (want) => offerSignIn(context, want),
      onFault: (error) => this.noteFault(error),
    });
    this.#leaving?.cancel();
    this.#clients.set(client, settings);
    void client.ended
      .catch((error: unknown) => this.noteFault(error))
      .then(() => {
        this.#clients.delete(client);
        this.#tellLogLevel();
        observer({ type: 'client.detached', reason: 'it has gone' });
        this.#lingerMs = settings.lingerMs;
        this.#linger();
      });
  }

  #tell(state: 'started' | 'draining' | 'ended' | 'fault', reason: string): void {
    this.#options.observerFor({ profile: '' })({ type: 'daemon.state', state, reason });
  }

  /** The log tells as much as the one client that wants most, and when all have gone, as much as the last one wanted. */
  #tellLogLevel(more: readonly Settings['logLevel'][] = []): void {
    const known = [...this.#clients.values()].map(({ logLevel }) => logLevel);
    const wanted = [...known, ...more].map((level) => LEVELS.indexOf(level));
    const level = LEVELS[Math.max(...wanted)];
    if (level !== undefined) this.#options.onLogLevel(level);
  }

  /** Nobody is attached: stays for a while, because the next launch is served at once then. */
  #linger(): void {
    if (this.#clients.size > 0) return;
    if (this.#state === 'draining') void this.end('it has handed over');
    if (this.#state !== 'serving') return;
    this.#leaving?.cancel();
    if (this.#lingerMs === 0) void this.end('its last client has left');
    else this.#leaving = this.#options.clock.after(this.#lingerMs, () => void this.end('nobody needs it'));
  }
}
