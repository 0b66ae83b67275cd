// Everything that watches one process: the hub, and the folds that hang on it. Whoever runs bridges makes one of these.

import type { Writable } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import { RotatingFile } from '../platform/rotating-file.ts';
import type { Level } from './describe.ts';
import { streamEvents } from './event-stream.ts';
import type { Labels, Observer } from './events.ts';
import { EventHub } from './hub.ts';
import { logFile, logPath } from './log-file.ts';
import { MetricsFold } from './metrics-fold.ts';
import { StatusFold } from './status-fold.ts';
import type { Instance, Status } from './status.ts';

export interface ObservatoryOptions {
  readonly clock: Clock;
  readonly mode: Instance['mode'];
  readonly version: string;
  readonly logLevel: Level;
  /** Where the log file goes. */
  readonly stateDir: string;
}

/** How long an answered request may go untold, in milliseconds. */
const TOGETHER_MS = 50;

export class Observatory {
  readonly hub: EventHub;
  /** Of the log file; may be changed at any time. */
  logLevel: Level;
  readonly #clock: Clock;
  readonly #instance: Instance;
  readonly #status = new StatusFold();
  readonly #metrics = new MetricsFold();
  readonly #log: RotatingFile;
  #droppedEvents = 0;

  constructor({ clock, mode, version, logLevel, stateDir }: ObservatoryOptions) {
    this.#clock = clock;
    this.#instance = { mode, version, pid: process.pid, startedAt: new Date(clock.wallTime()).toISOString() };
    this.hub = new EventHub(clock.wallTime, {
      putOff: (flush) => void clock.after(TOGETHER_MS, flush),
    });
    this.#log = new RotatingFile({ path: logPath(stateDir), clock });
    this.hub.subscribe((observed) => this.#status.take(observed));
    this.hub.subscribe((observed) => this.#metrics.take(observed));
    this.logLevel = logLevel;
    const writeLine = (line: string): void => this.#log.write(line);
    this.hub.subscribe(logFile(() => this.logLevel, writeLine));
  }

  observerFor(labels: Labels): Observer {
    return this.hub.observerFor(labels);
  }

  /** For `GET /status`. */
  status(): Status {
    this.hub.flush();
    return this.#status.snapshot(this.#clock.wallTime(), this.#instance);
  }

  /** For `GET /metrics`, as `text/plain; version=0.0.4`. */
  metricsText(): string {
    const residentBytes = process.memoryUsage.rss();
    return this.#metrics.text(this.status(), { residentBytes, droppedEvents: this.#droppedEvents });
  }

  /** For `GET /events`, as `text/event-stream`: resolves when the reader has gone. */
  streamEvents(output: Writable): Promise<void> {
    const onDropped = (count: number): void => {
      this.#droppedEvents += count;
    };
    return streamEvents(output, { hub: this.hub, clock: this.#clock, onDropped });
  }

  /** Writes out what the log still holds. */
  close(): Promise<void> {
    this.hub.flush();
    return this.#log.flush();
  }
}
