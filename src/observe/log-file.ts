// The log file as a fold over the events: one JSON object a line, with the event's own fields, which hold no payload.

import { join } from 'node:path';
import { isHidden, levelOf, type Level } from './describe.ts';
import type { BridgeEvent, Labels } from './events.ts';
import type { Subscriber } from './hub.ts';

const MAX_TEXT = 1000;

/** A line of the log: when, how much it matters, whom it is about, and the event. */
export type LogRecord = { readonly at: string; readonly level: string } & Partial<Labels> & BridgeEvent;

/**
 * @param level asked at each event, because it may change
 * @param write takes a whole line
 */
export function logFile(level: () => Level, write: (line: string) => void): Subscriber {
  return ({ at, labels, event }) => {
    const of = levelOf(event);
    if (isHidden(of, level())) return;
    const record = { at: new Date(at).toISOString(), level: of, ...labels, ...event };
    write(`${JSON.stringify(record, (_key, value: unknown) => clip(value))}\n`);
  };
}

function clip(value: unknown): unknown {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}

/** Where the log lies, the newest part; older ones have `.1` to `.4` behind it. */
export function logPath(stateDir: string): string {
  return join(stateDir, 'mcp-bridge.log');
}
