// `mcp-bridge logs`: the log for a person, and what is added to it.

import { open, readFile } from 'node:fs/promises';
import { isHidden, levelOf, type Level } from '../observe/describe.ts';
import { logPath, type LogRecord } from '../observe/log-file.ts';
import { Abort } from '../platform/abort.ts';
import { sleep } from '../platform/clock.ts';
import { UsageError, type Arguments, type CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { logLine } from './render/log-view.ts';
import { styleFor } from './render/style.ts';

const DEFAULT_LINES = 200;
const LOOK_EVERY_MS = 300;
/** As many as are kept; see platform/rotating-file.ts. */
const FILES = 5;
const LEVELS = ['error', 'info', 'debug'];

export async function run({ options }: Arguments, context: CommandContext): Promise<number> {
  const { stdout, stderr, env, paths } = context;
  const most = readCount(options['lines']);
  const level = readLevel(options['level']);
  const path = logPath(paths.stateDir);
  const style = styleFor(stdout, env);
  const show = (line: string): void => {
    const record = parse(line);
    if (record === undefined || isHidden(levelOf(record), level)) return;
    stdout.write(options['json'] === true ? `${line}\n` : `${logLine(record, style)}\n`);
  };
  // From here on is what `follow` has still to show; what comes between is in it.
  const size = await sizeOf(path);
  const kept = await lastLines(path, most, level, size);
  for (const line of kept) show(line);
  if (options['follow'] !== true) {
    if (kept.length > 0) return EXIT.ok;
    stderr.write(`There is no log yet. It will be written to ${path} when a client uses the bridge.\n`);
    return EXIT.ok;
  }
  const leaving = new Abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort());
  await follow(path, size, show, context, leaving);
  return EXIT.ok;
}

function readCount(given: string | boolean | undefined): number {
  if (given === undefined) return DEFAULT_LINES;
  if (typeof given === 'string' && /^\d{1,7}$/.test(given)) return Number(given);
  throw new UsageError(`--lines takes a whole number, and not "${String(given)}".`);
}

function readLevel(given: string | boolean | undefined): Level {
  if (given === undefined) return 'debug';
  if (typeof given === 'string' && LEVELS.includes(given)) return given as Level;
  throw new UsageError(`--level takes one of ${LEVELS.join(', ')}, and not "${String(given)}".`);
}

/** The last lines of the level, oldest first, of the file up to `size` and of those that were set aside. */
async function lastLines(path: string, most: number, level: Level, size: number): Promise<string[]> {
  let lines: string[] = [];
  for (let n = 0; n < FILES && lines.length < most; n += 1) {
    const bytes = await readFile(n === 0 ? path : `${path}.${n}`).catch(() => undefined);
    if (bytes === undefined) break;
    const text = (n === 0 ? bytes.subarray(0, size) : bytes).toString('utf8');
    const fitting = text.split('\n').filter((line) => {
      const record = parse(line);
      return record !== undefined && !isHidden(levelOf(record), level);
    });
    lines = [...fitting, ...lines];
  }
  return most === 0 ? [] : lines.slice(-most);
}

/** Shows what is added after `from`, also when the file is set aside and begun anew, until `leaving` aborts. */
async function follow(
  path: string,
  from: number,
  show: (line: string) => void,
  { clock }: CommandContext,
  leaving: Abort,
): Promise<void> {
  let rest = '';
  let at = from;
  let file = await open(path, 'r').catch(() => undefined);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(64 * 1024);
  const readOn = async (): Promise<void> => {
    if (file === undefined) return;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) show(line);
    }
  };
  while (!leaving.aborted) {
    await readOn();
    const next = await open(path, 'r').catch(() => undefined);
    if (next !== undefined && !(await isSame(next, file))) {
      // What was written to the old one before it was set aside.
      await readOn();
      await file?.close();
      file = next;
      at = 0;
      rest = '';
      continue;
    }
    await next?.close();
    await sleep(clock, LOOK_EVERY_MS, leaving);
  }
  await file?.close();
}

type Handle = Awaited<ReturnType<typeof open>>;

async function isSame(a: Handle, b: Handle | undefined): Promise<boolean> {
  if (b === undefined) return false;
  const [one, other] = await Promise.all([a.stat({ bigint: true }), b.stat({ bigint: true })]);
  return one.ino === other.ino && one.dev === other.dev;
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return 0;
  const { size } = await file.stat();
  await file.close();
  return size;
}

function parse(line: string): LogRecord | undefined {
  if (line === '') return undefined;
  try {
    const record: unknown = JSON.parse(line);
    const isRecord = typeof record === 'object' && record !== null && 'type' in record && 'at' in record;
    return isRecord ? (record as LogRecord) : undefined;
  } catch {
    // The beginning of a line that was cut off by a full disk.
    return undefined;
  }
}
