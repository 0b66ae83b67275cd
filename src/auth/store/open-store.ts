// The store over its two places: the keychain, and a file where a person has chosen one. Never falls back from the one to the other
// by itself.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock, type Clock } from '../../platform/clock.ts';
import type { Paths } from '../../platform/paths.ts';
import { makePrivateDir } from '../../platform/private-dir.ts';
import { MAX_RECORD_BYTES, type SignIn } from '../sign-in.ts';
import { askKeychain } from './keychain.ts';
import type { KeychainReply, KeychainRequest } from './keychain-request.ts';
import { describeTrouble } from './keychain-trouble.ts';
import { readMarker, removeMarker, writeMarker, type Marker } from './marker.ts';
import { recordFiles, type RecordFiles } from './places.ts';
import { whileLocked } from './record-lock.ts';
import { readSecretFile, removeSecretFile, writeSecretFile } from './secret-file.ts';
import type { SignInRecord, SignInStore, StoreFailure, StoreResult } from './store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface StoreOptions {
  /**
   * Where a new record goes: true to a file that only this user can read, false to the keychain, undefined to where the
   * service's record lies already, else to the keychain. Records are found wherever they lie.
   */
  readonly insecure?: boolean;
  readonly clock?: Clock;
  /** The built program that touches the keychain; of itself found beside the one that runs. */
  readonly keychainProgram?: string;
}

export function openStore(
  paths: Pick<Paths, 'stateDir'>,
  env: Environment,
  options: StoreOptions = {},
): SignInStore {
  return new TwoPlaceStore(paths, env, options);
}

class TwoPlaceStore implements SignInStore {
  readonly #paths: Pick<Paths, 'stateDir'>;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #program: string;
  readonly #insecure: boolean | undefined;
  /** As last read; one a service. */
  readonly #noted = new Map<string, Marker | undefined>();

  constructor(paths: Pick<Paths, 'stateDir'>, env: Environment, options: StoreOptions) {
    this.#paths = paths;
    this.#env = env;
    this.#clock = options.clock ?? systemClock;
    this.#program = options.keychainProgram ?? join(import.meta.dirname, 'keychain.cjs');
    this.#insecure = options.insecure;
  }

  note(key: string): Marker | undefined {
    try {
      this.#noted.set(key, readMarker(recordFiles(this.#paths, key)));
    } catch {
      // Too many open files, say: no reason to take anybody for signed out.
    }
    return this.#noted.get(key);
  }

  load(key: string): Promise<StoreResult<SignIn | undefined>> {
    return guarded(() => this.#load(key));
  }

  check(key: string): Promise<StoreResult<void>> {
    return guarded(async () => {
      const files = recordFiles(this.#paths, key);
      mkdirSync(files.markerDir, { recursive: true, mode: 0o700 });
      if (this.#isFile(files)) {
        makePrivateDir(files.secretDir);
        return ok(undefined);
      }
      // Where nothing is found, it is tried whether anything can be written.
      const reply = await this.#ask({ op: 'get', account: 'check', isExpected: true });
      return reply.kind === 'trouble' ? describeTrouble(reply.trouble, process.platform) : ok(undefined);
    });
  }

  save(key: string, signIn: SignIn): Promise<StoreResult<void>> {
    return this.#locked(key, (files) => {
      const known = readMarker(files);
      const signedInAt = Math.max(this.#clock.wallTime(), (known?.signedInAt ?? 0) + 1);
      const marker: Marker = {
        key,
        place: this.#isFile(files) ? 'file' : 'keychain',
        kind: signIn.kind,
        signedInAt,
      };
      return this.#write(files, marker, known, signIn);
    });
  }

  remove(key: string): Promise<StoreResult<boolean>> {
    return this.#locked(key, async (files) => {
      const known = readMarker(files);
      const hadFile = removeSecretFile(files);
      if (known?.place === 'keychain') {
        const reply = await this.#ask({ op: 'delete', account: this.#account(key), isExpected: true });
        if (reply.kind === 'trouble') return describeTrouble(reply.trouble, process.platform);
      }
      removeMarker(files);
      return ok(hadFile || known !== undefined);
    });
  }

  exclusively<T>(
    key: string,
    work: (record: SignInRecord) => Promise<StoreResult<T>>,
  ): Promise<StoreResult<T>> {
    return this.#locked(key, (files) =>
      work({
        load: () => guarded(() => this.#load(key)),
        update: (signIn) =>
          guarded(() => {
            const known = readMarker(files);
            if (known !== undefined) return this.#write(files, known, known, signIn);
            return Promise.resolve(storeFailure('it was removed meanwhile'));
          }),
        mark: (marks) =>
          guarded(async () => {
            const known = readMarker(files);
            if (known !== undefined) await writeMarker(files, { ...known, ...marks });
            return ok(undefined);
          }),
      }),
    );
  }

  async #load(key: string): Promise<StoreResult<SignIn | undefined>> {
    const files = recordFiles(this.#paths, key);
    const marker = readMarker(files);
    if (marker === undefined) return ok(undefined);
    if (marker.place === 'file') return ok(parseRecord(readSecretFile(files)));
    const reply = await this.#ask({ op: 'get', account: this.#account(key), isExpected: true });
    if (reply.kind === 'trouble') return describeTrouble(reply.trouble, process.platform);
    return ok(reply.kind === 'found' ? parseRecord(reply.secret) : undefined);
  }

  /** First the record, then the marker that says where it is. */
  async #write(
    files: RecordFiles,
    marker: Marker,
    known: Marker | undefined,
    signIn: SignIn,
  ): Promise<StoreResult<void>> {
    const secret = JSON.stringify(signIn);
    const account = this.#account(marker.key);
    if (marker.place === 'file') await writeSecretFile(files, secret);
    else {
      const size = Buffer.byteLength(secret);
      if (size > MAX_RECORD_BYTES)
        return storeFailure(`it holds ${size} bytes, and keychains take ${MAX_RECORD_BYTES}`);
      const reply = await this.#ask({ op: 'set', account, secret });
      if (reply.kind === 'trouble') return describeTrouble(reply.trouble, process.platform);
    }
    if (marker !== known) await writeMarker(files, marker);
    // What lay at the other place is of no use any more.
    if (marker.place === 'keychain') removeSecretFile(files);
    else if (known?.place === 'keychain') await this.#ask({ op: 'delete', account, isExpected: false });
    return ok(undefined);
  }

  /** Where a new record goes. */
  #isFile(files: RecordFiles): boolean {
    return this.#insecure ?? readMarker(files)?.place === 'file';
  }

  #ask(request: KeychainRequest): Promise<KeychainReply> {
    return askKeychain(request, { program: this.#program, env: this.#env, clock: this.#clock });
  }

  /** Two homes (MCP_BRIDGE_HOME) are two users of one keychain. */
  #account(key: string): string {
    const home = this.#env['MCP_BRIDGE_HOME'];
    return home === undefined || home === '' ? key : `${key} (${home})`;
  }

  #locked<T>(key: string, work: (files: RecordFiles) => Promise<StoreResult<T>>): Promise<StoreResult<T>> {
    return guarded(async () => {
      const files = recordFiles(this.#paths, key);
      const result = await whileLocked(files, this.#clock, () => guarded(() => work(files)));
      return result ?? BUSY;
    });
  }
}

const BUSY: StoreFailure = {
  kind: 'failed',
  code: 'ERR_STORE_FAILED',
  message: 'The stored sign-in is in use: others have been at work on it for too long.',
  remedy: 'Try again in a moment.',
  isBusy: true,
};

function ok<T>(value: T): StoreResult<T> {
  return { kind: 'ok', value };
}

function storeFailure(reason: string): StoreFailure {
  return {
    kind: 'failed',
    code: 'ERR_STORE_FAILED',
    message: `The stored sign-in cannot be used: ${reason}.`,
    remedy:
      'Look whether the state folder can be written to and has room, then sign in anew with `mcp-bridge login`.',
  };
}

/** Files fail by throwing. */
async function guarded<T>(work: () => Promise<StoreResult<T>>): Promise<StoreResult<T>> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return storeFailure(code ?? message);
  }
}

/** What cannot be read is as good as none: a person signs in anew. */
function parseRecord(text: string | undefined): SignIn | undefined {
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<SignIn>;
    return record.kind === 'oauth' || record.kind === 'token' ? (record as SignIn) : undefined;
  } catch {
    return undefined;
  }
}
