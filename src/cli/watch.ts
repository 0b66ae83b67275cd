// `mcp-bridge status --watch`: the status on a screen of its own, drawn anew each second and when something happens.

import type { LogRecord } from '../observe/log-file.ts';
import { Abort } from '../platform/abort.ts';
import { sleep, type Timer } from '../platform/clock.ts';
import { daemonOf, type CommandContext } from './command.ts';
import { styleFor } from './render/style.ts';
import { watchLines } from './render/watch-view.ts';
import { exitCodeOf, findOut, type Finding } from './status-report.ts';
import { Terminal } from './terminal.ts';

const ASK_EVERY_MS = 1000;
/** Many events in a row are drawn together, in milliseconds. */
const DRAW_AFTER_MS = 100;
const KEPT_EVENTS = 500;

/** Resolves when the person leaves, with the exit code of the last status. */
export async function watch(context: CommandContext): Promise<number> {
  const { clock, stdout, env } = context;
  const leaving = new Abort();
  const events: LogRecord[] = [];
  let finding: Finding = await findOut(context);
  let due: Timer | undefined;
  const draw = (): void => {
    due = undefined;
    const { rows, columns } = stdout;
    terminal.draw(watchLines(finding, events, { rows, columns, style: styleFor(stdout, env) }));
  };
  const drawSoon = (): void => {
    due ??= clock.after(DRAW_AFTER_MS, draw);
  };
  const terminal = new Terminal({
    stdin: process.stdin,
    stdout,
    onQuit: () => leaving.abort(),
    onResize: draw,
  });
  terminal.open();
  try {
    const following = follow(context, leaving, (event) => {
      events.push(event);
      if (events.length > KEPT_EVENTS) events.splice(0, events.length - KEPT_EVENTS);
      drawSoon();
    });
    while (!leaving.aborted) {
      draw();
      await sleep(clock, ASK_EVERY_MS, leaving);
      if (!leaving.aborted) finding = await findOut(context);
    }
    await following;
  } finally {
    due?.cancel();
    terminal.close();
  }
  return exitCodeOf(finding);
}

/** Hands over events for as long as the person stays, through the ends and beginnings of the daemon. */
async function follow(
  context: CommandContext,
  leaving: Abort,
  onEvent: (event: LogRecord) => void,
): Promise<void> {
  const daemon = daemonOf(context);
  while (!leaving.aborted) {
    await daemon.events((event) => {
      if (isRecord(event)) onEvent(event);
    }, leaving);
    await sleep(context.clock, ASK_EVERY_MS, leaving);
  }
}

function isRecord(event: unknown): event is LogRecord {
  return typeof event === 'object' && event !== null && 'type' in event && 'at' in event;
}
