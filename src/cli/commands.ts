// The commands, in the order in which the help shows them. `run` is not here: what clients launch goes its own way.

import type { CommandSpec } from './command.ts';

const JSON_OPTION = { flags: '--json', about: 'for programs: JSON, with nothing else on stdout' };

export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  status: {
    usage: 'status',
    about: 'show what the bridge does, and what to do where it is not well',
    options: [
      JSON_OPTION,
      { flags: '-w, --watch', about: 'keep showing it, with events as they happen, until q or Ctrl-C' },
    ],
    load: () => import('./status.ts'),
  },
  doctor: {
    usage: 'doctor [url|profile]',
    about: 'go the whole way to the service step by step, and say where it fails and what to do',
    options: [JSON_OPTION],
    load: () => import('./doctor.ts'),
  },
  logs: {
    usage: 'logs',
    about: 'show the log',
    options: [
      { flags: '-f, --follow', about: 'go on with what is written from now on, until Ctrl-C' },
      { flags: '-n, --lines <n>', about: 'how many of the last lines (default 200)' },
      { flags: '--level <level>', about: 'error, info or debug: this and what matters more' },
      { flags: '--json', about: 'the lines as they stand in the file' },
    ],
    load: () => import('./logs.ts'),
  },
  reset: {
    usage: 'reset [session|profile]',
    about: 'make the sessions with the service anew, all of them or one',
    options: [],
    load: () => import('./reset.ts'),
  },
  stop: {
    usage: 'stop',
    about: 'end the daemon; the next client that is launched starts it again',
    options: [],
    load: () => import('./stop.ts'),
  },
};
