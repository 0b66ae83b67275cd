// A line of the log for a person.

import { describe } from '../../observe/describe.ts';
import type { LogRecord } from '../../observe/log-file.ts';
import type { Style } from './style.ts';

/** `2026-01-01T12:00:00.000Z error work request.settled tools/call ERR_… after 12.0 ms` */
export function logLine(record: LogRecord, style: Style): string {
  const { at, level, profile, session, client, type } = record;
  const who = [profile, session, client].filter((part) => part !== undefined && part !== '').join(' ');
  const text = describe(record);
  const body = level === 'error' ? style.bad(text) : text;
  return [style.dim(at), level.padEnd(5), who, type, body].filter((part) => part !== '').join(' ');
}
