// Asks the keychain, in a process of its own that is killed when it takes too long.

import { spawn } from 'node:child_process';
import process from 'node:process';
import type { Clock } from '../../platform/clock.ts';
import { sharedEnvironment } from '../../platform/detached.ts';
import { KEYCHAIN_LIMIT_MS, type KeychainReply, type KeychainRequest } from './keychain-request.ts';

/** More than any record and its frame. */
const MAX_REPLY_BYTES = 64 * 1024;
const NO_ANSWER: KeychainReply = { kind: 'trouble', trouble: 'no-answer' };
const FAILED: KeychainReply = { kind: 'trouble', trouble: 'failed' };

export interface KeychainOptions {
  /** The built `keychain.cjs`. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** Never rejects; ends within KEYCHAIN_LIMIT_MS. */
export function askKeychain(
  request: KeychainRequest,
  { program, env, clock }: KeychainOptions,
): Promise<KeychainReply> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      env: { ...sharedEnvironment(env), ...electron(env) },
    });
    let reply = '';
    const settle = (result: KeychainReply): void => {
      timer.cancel();
      child.kill('SIGKILL');
      resolve(result);
    };
    const timer = clock.after(KEYCHAIN_LIMIT_MS, () => settle(NO_ANSWER));
    child.once('error', () => settle(FAILED));
    child.stdin.on('error', () => {});
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      reply += chunk;
      if (reply.length > MAX_REPLY_BYTES) settle(FAILED);
    });
    child.stdout.once('end', () => settle(parse(reply)));
    child.stdin.end(JSON.stringify(request));
  });
}

function parse(reply: string): KeychainReply {
  try {
    return JSON.parse(reply) as KeychainReply;
  } catch {
    return FAILED;
  }
}

/** Without it, a program of that kind would be started instead of Node.js. */
function electron({ ELECTRON_RUN_AS_NODE: value }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return value === undefined ? {} : { ELECTRON_RUN_AS_NODE: value };
}
