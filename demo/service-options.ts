// The command line of `npm run service`: what it takes, and what it says when it is given something else.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface ServiceOptions {
  port: number;
  handshakeMs: number;
  notesFile: string;
  /** Whether it wants people to sign in. */
  auth: boolean;
  accessTokenSeconds: number;
}

export const usage = `Usage: npm run service -- [--port 8808] [--handshake-ms 400] [--notes FILE] [--auth]

  --port N           Port on 127.0.0.1, 0 for any free one (default 8808)
  --handshake-ms N   What each handshake takes longer, 0 to 60000 (default 0)
  --notes FILE       Where the notes are kept (default ~/mcp-bridge-notes.json)
  --auth             Ask for a sign-in, and start an authorisation server beside it (on the port after)
  --token-seconds N  How long an access token lasts, 1 to 86400 (default 600)
`;

/** The command line cannot be used. The message says why. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Returns 'help' when that is what was asked for. */
export function parseServiceOptions(args: string[]): ServiceOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  if (values.notes === '') throw new UsageError('--notes needs the name of a file');
  return {
    port: readInteger('--port', values.port, 65_535),
    handshakeMs: readInteger('--handshake-ms', values['handshake-ms'], 60_000),
    notesFile: resolve(values.notes ?? join(homedir(), 'mcp-bridge-notes.json')),
    auth: values.auth === true,
    accessTokenSeconds: readInteger('--token-seconds', values['token-seconds'], 86_400, 1),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '8808' },
        'handshake-ms': { type: 'string', default: '0' },
        notes: { type: 'string' },
        auth: { type: 'boolean' },
        'token-seconds': { type: 'string', default: '600' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Node's own words name the flag; what follows its first sentence is about positional arguments.
    throw new UsageError((error as Error).message.split('. ')[0], { cause: error });
  }
}

function readInteger(flag: string, text: string, max: number, min = 0): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`${flag} must be a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}
