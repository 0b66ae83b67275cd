// The ways to sign in, as a person at a terminal goes them: what is asked, what is shown, what is opened.

import { readFileSync } from 'node:fs';
import { signInByCode } from '../../auth/authorization-code.ts';
import { openBrowser } from '../../auth/browser.ts';
import { readClientKey, signInByCredentials } from '../../auth/client-credentials.ts';
import type { ClientIdentity, ClientWishes } from '../../auth/client-identity.ts';
import { signInByDevice, type DevicePrompt } from '../../auth/device-code.ts';
import type { Discovered } from '../../auth/discovery.ts';
import type { SignedIn } from '../../auth/flow.ts';
import { UsageError, type Arguments, type CommandContext } from '../command.ts';
import { askSecret } from './secret.ts';
import type { SignInTarget } from './target.ts';
import type { Way } from './way.ts';

export interface SignInParts {
  readonly args: Arguments;
  readonly context: CommandContext;
  readonly target: SignInTarget;
  readonly discovered: Discovered;
  readonly scope: string | undefined;
  readonly signal: AbortSignal;
  readonly settle: (result: SignedIn) => Promise<void>;
}

/** @throws AuthError, UsageError */
export async function signInBy(way: Way, parts: SignInParts): Promise<void> {
  const { args, context, target, settle } = parts;
  const { clock, stdout } = context;
  const client = await clientOf(args, context, way, parts.signal);
  const flow = { ...parts, client, clock, fetch: target.fetch };
  switch (way) {
    case 'credentials': {
      const key = readKey(args);
      const method = key === undefined ? {} : { ...key, clientAuthMethod: 'private_key_jwt' };
      if (client.known === undefined) throw new UsageError('--client-credentials needs --client-id.');
      return settle(await signInByCredentials(flow, { ...client.known, ...method }));
    }
    case 'device': {
      const show = (prompt: DevicePrompt): void => void stdout.write(devicePrompt(prompt));
      return settle(await signInByDevice(flow, { rules: target.rules, show }));
    }
    default: {
      const show = (url: URL): Promise<void> => showAddress(url, way === 'browser', context);
      await signInByCode(flow, { redirectPort: redirectPort(args), show, settle });
    }
  }
}

async function showAddress(url: URL, opens: boolean, { stdout }: CommandContext): Promise<void> {
  // The address first: whether the browser really shows it is not to be known.
  const where = opens
    ? 'Opening the browser. If no page appears, open this address on this machine:'
    : 'Open this address in a browser on this machine:';
  stdout.write(`${where}\n\n  ${url.href}\n\n`);
  if (opens && !(await openBrowser(url)))
    stdout.write('No browser could be started here; please open the address yourself.\n');
  stdout.write('Waiting for you to sign in there, for 5 minutes at most (Ctrl-C ends it) …\n');
}

function devicePrompt({ url, completeUrl, userCode, minutes }: DevicePrompt): string {
  const direct =
    completeUrl === undefined
      ? ''
      : `Or open this one, which has the code in it:\n\n  ${completeUrl.href}\n\n`;
  return `Open this address in a browser, on any device:\n\n  ${url.href}\n\nand type in the code:  ${userCode}\n\n${direct}Waiting for that, for ${minutes} minutes at most (Ctrl-C ends it) …\n`;
}

async function clientOf(
  { options }: Arguments,
  { env }: CommandContext,
  way: Way,
  signal: AbortSignal,
): Promise<ClientWishes> {
  const clientId = options['client-id'];
  const documentUrl = options['client-metadata-url'];
  if (typeof clientId !== 'string')
    return { documentUrl: typeof documentUrl === 'string' ? documentUrl : undefined };
  const given = env['MCP_BRIDGE_CLIENT_SECRET'] || undefined;
  const isAsked =
    options['client-secret'] === true || (way === 'credentials' && options['private-key'] === undefined);
  const clientSecret = given ?? (isAsked ? await askSecret('client secret', signal) : undefined);
  const known: ClientIdentity = { clientId, ...(clientSecret !== undefined && { clientSecret }) };
  return { known };
}

function readKey({ options }: Arguments): ReturnType<typeof readClientKey> | undefined {
  const file = options['private-key'];
  if (typeof file !== 'string') return undefined;
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  return readClientKey(pem);
}

function redirectPort({ options }: Arguments): number {
  const text = options['redirect-port'];
  if (text === undefined) return 0;
  const port = typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port > 0 && port <= 65_535))
    throw new UsageError('--redirect-port must be a whole number from 1 to 65535.');
  return port;
}
