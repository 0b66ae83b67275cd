// What a person sees in the client's log of this server: one line an event on stderr.

import type { Settings } from '../config/settings.ts';
import { describe, isHidden, levelOf } from './describe.ts';
import type { Observer } from './events.ts';

/**
 * @param settings looked at for each event
 * @param write takes a whole line
 */
export function stderrLog(
  settings: Pick<Settings, 'logLevel'>,
  wallTime: () => number,
  write: (line: string) => void,
): Observer {
  return (event) => {
    const of = levelOf(event);
    // Hardly anybody reads what every request ends in: nothing is put together for it.
    if (isHidden(of, settings.logLevel)) return;
    write(`${new Date(wallTime()).toISOString()} ${of} ${event.type} ${describe(event)}\n`);
  };
}
