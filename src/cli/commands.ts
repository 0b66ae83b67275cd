// The commands, in the order in which the help shows them. `run` is not here: what clients launch goes its own way.

import type { CommandSpec } from './command.ts';

const JSON_OPTION = { flags: '--json', about: 'for programs: JSON, with nothing else on stdout' };

export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  setup: {
    usage: 'setup [url|profile]',
    about:
      'set everything up: check the service, sign in, write the entry for Claude Desktop, and prove that it works',
    options: [
      { flags: '--name <name>', about: 'what to call it (default: made of its address)' },
      {
        flags: '--client <client>',
        about: 'claude-desktop (default), claude-code, cursor or vscode; several with commas',
      },
      { flags: '--dry-run', about: 'show what would change, as a diff, and change nothing' },
      { flags: '--yes', about: 'ask nothing' },
      { flags: '--no-check', about: 'write without asking the service, and without the proof' },
      {
        flags: '--insecure-storage',
        about: 'keep the sign-in in a file that only you can read, not in the keychain',
      },
      { flags: '--remove', about: 'take out again what set-up has written, for one name or for all' },
      { flags: '--allow-http', about: 'allow http:// to a host that is not this machine' },
    ],
    load: () => import('./setup.ts'),
  },
  login: {
    usage: 'login [url|profile]',
    about: 'sign in to the service, in the browser if nothing else is asked for',
    options: [
      { flags: '--no-browser', about: 'show the address to open, and open nothing' },
      { flags: '--device', about: 'sign in with a browser on another device, by a short code' },
      { flags: '--token', about: 'keep a token that you have; it is asked for, or read from stdin' },
      {
        flags: '--client-credentials',
        about: 'sign in as a program, without a person; needs --client-id, and a secret or --private-key',
      },
      { flags: '--client-id <id>', about: 'the id of a client that was registered for you' },
      {
        flags: '--client-secret',
        about: 'that client has a secret: from MCP_BRIDGE_CLIENT_SECRET, else asked for, or read from stdin',
      },
      { flags: '--private-key <file>', about: 'the key that the client proves itself by, PEM' },
      { flags: '--client-metadata-url <url>', about: 'where a document about this client lies (CIMD)' },
      { flags: '--scope <scopes>', about: 'ask for these, separated by spaces, and nothing else' },
      {
        flags: '--redirect-port <n>',
        about: 'the port that the browser is sent back to (default: any free one)',
      },
      {
        flags: '--insecure-storage',
        about: 'keep the sign-in in a file that only you can read, not in the keychain',
      },
      { flags: '--allow-http', about: 'allow http:// to a host that is not this machine' },
    ],
    load: () => import('./login.ts'),
  },
  logout: {
    usage: 'logout [url|profile]',
    about: 'end the sign-in at the service where it offers that, and forget it here',
    options: [{ flags: '--allow-http', about: 'allow http:// to a host that is not this machine' }],
    load: () => import('./logout.ts'),
  },
  config: {
    usage: 'config <list|get|set|unset|path|edit> [key] [value]',
    about: 'show and change settings',
    options: [
      { flags: '--profile <name>', about: 'of this profile' },
      { flags: '--origin', about: 'say where each value comes from' },
      { flags: '--managed', about: "with path: the administrator's file" },
      JSON_OPTION,
    ],
    load: () => import('./config.ts'),
  },
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
    options: [
      JSON_OPTION,
      { flags: '--repair', about: 'write again the entries of set-up that clients have lost' },
    ],
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
