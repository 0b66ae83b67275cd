// The one process that touches the keychain, for one request, because a call to it may hang and can only be killed. Reads a
// KeychainRequest from stdin and writes a KeychainReply to stdout.

import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import process from 'node:process';
import type * as keytarModule from 'keytar';
import { systemClock } from '../../platform/clock.ts';
import {
  KEYCHAIN_LIMIT_MS,
  KEYCHAIN_SERVICE,
  type KeychainReply,
  type KeychainRequest,
  type KeychainTrouble,
} from './keychain-request.ts';

type Keytar = Pick<typeof keytarModule, 'getPassword' | 'setPassword' | 'deletePassword'>;

/** Holds no secret; written to see whether anything can be written. */
const PROBE = 'probe';

// Whoever started this may be gone, and an ordinary end would wait for the call that hangs.
systemClock.after(KEYCHAIN_LIMIT_MS + 1000, () => process.kill(process.pid, 'SIGKILL'));

void main();

async function main(): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as KeychainRequest;
  const reply = await answer(request);
  process.stdout.end(JSON.stringify(reply));
}

async function answer(request: KeychainRequest): Promise<KeychainReply> {
  let keytar: Keytar;
  try {
    // It is CommonJS with a native part; on Linux that part needs libsecret.
    const loaded = await import('keytar');
    keytar = 'default' in loaded ? loaded.default : loaded;
  } catch {
    return trouble('no-module');
  }
  try {
    return await perform(keytar, request);
  } catch {
    return trouble(await diagnose(keytar));
  }
}

async function perform(keytar: Keytar, request: KeychainRequest): Promise<KeychainReply> {
  const { account } = request;
  switch (request.op) {
    case 'get': {
      const secret = await keytar.getPassword(KEYCHAIN_SERVICE, account);
      if (secret !== null) return { kind: 'found', secret };
      break;
    }
    case 'set':
      await keytar.setPassword(KEYCHAIN_SERVICE, account, request.secret);
      return { kind: 'done' };
    case 'delete':
      if (await keytar.deletePassword(KEYCHAIN_SERVICE, account)) return { kind: 'done' };
  }
  // A locked keychain shows nothing, and takes nothing.
  if (request.isExpected) {
    await keytar.setPassword(KEYCHAIN_SERVICE, PROBE, PROBE);
    await keytar.deletePassword(KEYCHAIN_SERVICE, PROBE);
  }
  return { kind: 'absent' };
}

/** Errors come as text in the user's language, so the cause is found by trying. */
async function diagnose(keytar: Keytar): Promise<KeychainTrouble> {
  if (process.platform === 'linux' && !hasBus()) return 'no-bus';
  try {
    await keytar.getPassword(KEYCHAIN_SERVICE, PROBE);
  } catch {
    return process.platform === 'linux' ? 'no-service' : 'failed';
  }
  // It can be read and not written.
  return 'locked';
}

function hasBus(): boolean {
  const { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: runtimeDir } = process.env;
  if (address === undefined || address === '')
    return runtimeDir !== undefined && existsSync(`${runtimeDir}/bus`);
  const path = /(?:^|;)unix:(?:[^;]*,)?path=([^,;]+)/.exec(address)?.[1];
  return path === undefined || existsSync(decodeURIComponent(path));
}

function trouble(what: KeychainTrouble): KeychainReply {
  return { kind: 'trouble', trouble: what };
}
