// `GET /events`: the events as server-sent events, for as long as the reader stays.

import type { Writable } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import { EventQueue, QUEUE_LIMIT } from './event-queue.ts';
import type { Observed } from './events.ts';
import type { EventHub } from './hub.ts';

/** A word now and then, so that a reader that has gone is noticed, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

export interface EventStreamOptions {
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly limit?: number;
  /** Hears how many events a slow reader has lost. */
  readonly onDropped?: (count: number) => void;
}

/** Writes the events to `output` until it is closed. Never rejects. */
export async function streamEvents(output: Writable, options: EventStreamOptions): Promise<void> {
  const { hub, clock, limit = QUEUE_LIMIT, onDropped } = options;
  const queue = new EventQueue(hub, limit);
  const done = Promise.withResolvers<void>();
  const end = (): void => {
    queue.close();
    done.resolve();
  };
  output.on('close', end).on('error', end);
  if (output.destroyed) end();
  const beat = (): void => {
    if (output.destroyed) return;
    if (!output.writableNeedDrain) output.write(': here\n\n');
    timer = clock.after(KEEP_ALIVE_MS, beat);
  };
  let timer = clock.after(KEEP_ALIVE_MS, beat);
  output.write(': events of mcp-bridge\n\n');
  for (let batch = await queue.next(); batch !== undefined; batch = await queue.next()) {
    if (batch.dropped > 0) onDropped?.(batch.dropped);
    const lost = batch.dropped > 0 ? [`event: dropped\ndata: {"count":${batch.dropped}}\n\n`] : [];
    const text = [...batch.events.map(asEvent), ...lost].join('');
    if (!output.write(text)) await Promise.race([drained(output), done.promise]);
  }
  timer.cancel();
}

function asEvent({ at, labels, event }: Observed): string {
  const data = { at: new Date(at).toISOString(), ...labels, ...event };
  return `event: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    output.once('drain', resolve);
  });
}
