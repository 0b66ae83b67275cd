// What `status --watch` shows: the status above, events below, cut to the screen.

import { describe, levelOf } from '../../observe/describe.ts';
import type { LogRecord } from '../../observe/log-file.ts';
import type { Finding } from '../status-report.ts';
import { statusLines } from './status-view.ts';
import type { Style } from './style.ts';
import { fit } from './text.ts';

export interface Screen {
  readonly rows: number;
  readonly columns: number;
  readonly style: Style;
}

/** Lines that the events get in any case, where there are any. */
const EVENT_ROWS = 5;

/** @param events oldest first */
export function watchLines(finding: Finding, events: readonly LogRecord[], screen: Screen): string[] {
  const { rows, columns, style } = screen;
  const footer = style.dim('q or Ctrl-C to leave');
  const forStatus = Math.max(1, rows - 2 - EVENT_ROWS - 1);
  const view = { style, columns, withTrend: true };
  const full = statusLines(finding, view);
  const status = full.length > forStatus ? statusLines(finding, { ...view, isBrief: true }) : full;
  const cut =
    status.length > forStatus
      ? [
          ...status.slice(0, forStatus - 1),
          style.dim(`… ${status.length - forStatus + 1} more lines: a larger window shows them`),
        ]
      : status;
  const left = rows - cut.length - 3;
  const shown = events.slice(-Math.max(0, left)).map((event) => eventLine(event, style));
  const body =
    left > 0 ? ['', style.bold('Events'), ...(shown.length === 0 ? [style.dim('none yet')] : shown)] : [];
  const lines = [...cut, ...body].slice(0, rows - 1);
  const gap = Array.from({ length: Math.max(0, rows - 1 - lines.length) }, () => '');
  return [...lines, ...gap, footer].map((line) => fit(line, columns));
}

/** `12:03:04 work request.settled tools/call answered after 12.0 ms`, in local time. */
export function eventLine(event: LogRecord, style: Style): string {
  const at = new Date(event.at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const who = [event.profile, event.session, event.client].filter(Boolean).join(' ');
  const text = describe(event);
  const body = levelOf(event) === 'error' ? style.bad(text) : text;
  return [style.dim(time), who, style.dim(event.type), body].filter((part) => part !== '').join(' ');
}
