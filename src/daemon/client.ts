// One attached client: its bridge over its socket. What goes wrong in it ends it alone; its front then attaches anew.

import type { Socket } from 'node:net';
import { Bridge, type BridgeOptions } from '../bridge/bridge.ts';
import type { Resolved } from '../config/resolve.ts';
import type { Observer } from '../observe/events.ts';
import { BYE_WORD, DRAIN_WORD } from '../platform/attach-protocol.ts';
import { nextTurn, type Clock } from '../platform/clock.ts';

/** How long the end of a bridge may take, in milliseconds. */
const CLOSE_MS = 1500;

export interface ClientOptions extends Omit<BridgeOptions, 'input' | 'output' | 'settings' | 'serviceHost'> {
  readonly socket: Socket;
  readonly resolved: Resolved;
  readonly onFault: (error: unknown) => void;
}

export class Client {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #bridge: Bridge;
  /** Resolves when it is gone and its session is ended. */
  readonly ended: Promise<void>;

  constructor({ socket, resolved, onFault, ...shared }: ClientOptions) {
    this.#socket = socket;
    this.#clock = shared.clock;
    this.#observer = shared.observer;
    const { settings, profile } = resolved;
    this.#bridge = new Bridge({
      ...shared,
      settings,
      isBehindFront: true,
      serviceHost: profile.url.host,
      input: socket,
      output: socket,
      onFault: (error) => {
        onFault(error);
        socket.destroy();
      },
    });
    this.ended = this.#converse();
    socket.resume();
  }

  /** A newer daemon is there. */
  drain(): void {
    if (!this.#socket.writableEnded) this.#socket.write(`${DRAIN_WORD}\n`);
  }

  /** The front deals with what is in flight: it knows what may be sent again. */
  sayBye(): void {
    if (!this.#socket.writableEnded) this.#socket.end(`${BYE_WORD}\n`);
  }

  /** It has not hung up when it was told to. */
  drop(): void {
    this.#socket.destroy();
  }

  async #converse(): Promise<void> {
    const reason = await this.#bridge.run();
    const limit = new AbortController();
    const timer = this.#clock.after(CLOSE_MS, () => limit.abort());
    const closed = this.#bridge.close(limit.signal);
    // Answers that were ready are on their way by then; the front waits for this end.
    await nextTurn();
    await nextTurn();
    this.#socket.end();
    this.#socket.destroySoon();
    await closed;
    timer.cancel();
    this.#observer({ type: 'bridge.closed', reason });
  }
}
