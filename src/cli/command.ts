// What a command of the command line is: how it is called, and what runs. Each lies in a file of its own, loaded when it is
// called, because `status` has to answer about as fast as Node.js starts.

import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';
import type { Clock } from '../platform/clock.ts';
import { ControlClient } from '../platform/control-client.ts';
import { daemonSecretFile, daemonSocket, type Paths } from '../platform/paths.ts';

export interface OptionSpec {
  /** As commander writes them: `-f, --follow` or `--lines <n>`. */
  readonly flags: string;
  readonly about: string;
}

export interface CommandSpec {
  /** Its name and what it takes: `doctor [url|profile]`. */
  readonly usage: string;
  readonly about: string;
  readonly options: readonly OptionSpec[];
  load(): Promise<{ run(args: Arguments, context: CommandContext): Promise<number> }>;
}

export interface Arguments {
  /** What follows the command without dashes. */
  readonly words: readonly string[];
  /** By long name: true, or the value. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
  readonly paths: Paths;
}

/** An option's value; undefined where it has none. */
export function textOf(option: string | boolean | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/** The command line cannot be understood; the message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** By its name, because each command is a file that is built on its own, with a class of its own. */
export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && error.name === 'UsageError';
}

/** @throws UsageError */
export function parseArguments({ usage, options }: CommandSpec, argv: readonly string[]): Arguments {
  const config = Object.fromEntries(options.map(({ flags }) => asOption(flags)));
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: config,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const known = config[token.name];
    if (known === undefined) {
      const hint = nearest(token.name, Object.keys(config));
      const what = hint === undefined ? '' : ` Did you mean --${hint}?`;
      throw new UsageError(`Unknown option ${token.rawName}.${what}`);
    }
    if (known.type === 'string' && token.value === undefined)
      throw new UsageError(`${token.rawName} needs a value.`);
    if (known.type === 'boolean' && token.value !== undefined)
      throw new UsageError(`${token.rawName} takes no value.`);
  }
  const most = usage.split(' ').length - 1;
  if (positionals.length > most) throw new UsageError(`"${positionals[most]}" is too much here.`);
  return { words: positionals, options: values };
}

type OptionConfig = { type: 'string' | 'boolean'; short?: string };

function asOption(flags: string): [string, OptionConfig] {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  const short = /^-([a-z]),/.exec(flags)?.[1];
  const type = flags.includes('<') ? 'string' : 'boolean';
  return [name, short === undefined ? { type } : { type, short }];
}

/** The daemon of this user. */
export function daemonOf({ paths, clock }: CommandContext): ControlClient {
  return new ControlClient({ socketPath: daemonSocket(paths), secretFile: daemonSecretFile(paths), clock });
}
