// A session on the fake network that listens to the service's own stream.
import type { BridgeEvent } from '../../src/observe/events.ts';
import type { HttpClient as RealHttpClient } from '../../src/upstream/http.ts';
import { listen } from '../../src/upstream/listener.ts';
import { LiveSession } from '../../src/upstream/live-session.ts';
import { StreamableHttp } from '../../src/upstream/streamable-http.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HttpClient, network, type FakeHttpExchange } from '../support/fake-http.ts';
import { Client } from './calling.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

export class Listening {
  readonly clock = new FakeClock();
  readonly events: BridgeEvent[] = [];
  readonly client = new Client();
  readonly live: LiveSession;
  lost = 0;
  isDone = false;
  /** Tells it that its connection may be dead. */
  restart = (): void => {};

  constructor(chance = 0.5) {
    const { clock } = this;
    const observer = (event: BridgeEvent): void => void this.events.push(event);
    this.live = new LiveSession({ clock, observer, unsolicited: this.client });
    const http = new HttpClient() as unknown as RealHttpClient;
    const wire = new StreamableHttp(http, settings, clock);
    wire.sessionId = 's1';
    wire.establish('2025-06-18');
    this.live.wire = wire;
    const onSessionLost = (): void => {
      this.lost += 1;
      this.live.retire();
    };
    const { live } = this;
    const onRestart = (restart: () => void): void => {
      this.restart = restart;
    };
    void listen({ live, wire, clock, rng: () => chance, observer, onSessionLost, onRestart }).then(
      () => (this.isDone = true),
    );
  }

  /** The GET requests so far. */
  get streams(): FakeHttpExchange[] {
    return network.exchanges.filter(({ request }) => request.method === 'GET');
  }

  get stream(): FakeHttpExchange {
    return this.streams.at(-1)!;
  }

  get pings(): FakeHttpExchange[] {
    return network.exchanges.filter(({ message }) => message?.method === 'ping');
  }

  /** What was told of the stream, as `open new`. */
  get told(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'upstream.listen' ? [`${event.state} ${event.reason}`] : [],
    );
  }

  /** Lets the newest stream end in this way, and says how long it takes until the next one is asked for. */
  async delayAfter(end: (stream: FakeHttpExchange) => void): Promise<number> {
    const before = this.streams.length;
    end(this.stream);
    for (let ms = 0; ms <= 60_000; ms += 125) {
      await this.clock.advance(ms === 0 ? 0 : 125);
      if (this.streams.length > before) return ms;
    }
    return Number.NaN;
  }
}
