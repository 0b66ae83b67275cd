// Secrets from a person or a pipe: never from arguments, which every process on the machine can read.

import { isCancel, password } from '@clack/prompts';
import { AuthError } from '../../auth/auth-error.ts';
import { UsageError } from '../command.ts';

const MAX_BYTES = 64 * 1024;

/** Asks without showing what is typed, or reads all of stdin where that is no terminal. @throws UsageError, AuthError */
export async function askSecret(what: string, signal: AbortSignal): Promise<string> {
  const { stdin } = process;
  const text = stdin.isTTY ? await ask(what, signal) : await readAll(stdin, what);
  const secret = text.trim();
  if (secret === '') throw new UsageError(`No ${what} was given.`);
  return secret;
}

async function ask(what: string, signal: AbortSignal): Promise<string> {
  const answer = await password({ message: `The ${what}, which is not shown:`, signal });
  if (!isCancel(answer)) return answer;
  throw new AuthError('ERR_AUTH_ABANDONED', 'The sign-in was ended.');
}

async function readAll(stdin: NodeJS.ReadStream, what: string): Promise<string> {
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BYTES) throw new UsageError(`The ${what} on stdin is longer than 64 KiB.`);
  }
  return text;
}
