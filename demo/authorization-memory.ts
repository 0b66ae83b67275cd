// What the authorisation server knows: its keys, clients, grants and tokens. In memory, and in a file where one is named, so that a
// sign-in outlives the server. Shaped as oidc-provider's adapter wants it; knows nothing of what is in a record.
import { generateKeyPairSync, randomBytes, type webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFileSync } from 'atomically';

type JsonWebKey = webcrypto.JsonWebKey;
type Payload = Record<string, unknown>;

interface Entry {
  readonly payload: Payload;
  /** Milliseconds since 1970; null for good. */
  readonly expiresAt: number | null;
}

interface Kept {
  readonly version: 1;
  /** Signs tokens (ES256). */
  readonly key: JsonWebKey;
  readonly cookieKey: string;
  readonly entries: readonly (readonly [string, Entry])[];
}

/** More than any demonstration needs; the oldest go first. */
const maxEntries = 5000;

export class AuthorizationMemory {
  readonly key: JsonWebKey;
  readonly cookieKey: string;
  readonly #file: string | undefined;
  readonly #entries: Map<string, Entry>;

  /** @throws Error where the file is there and holds something else */
  constructor(file?: string) {
    this.#file = file;
    const kept = file !== undefined && existsSync(file) ? readKept(file) : undefined;
    this.key =
      kept?.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    this.cookieKey = kept?.cookieKey ?? randomBytes(24).toString('hex');
    this.#entries = new Map(kept?.entries);
  }

  /** The records of one kind, as `new Provider(…, { adapter })` takes it. */
  adapterFor(model: string): Record<string, unknown> {
    const name = (id: string): string => `${model}:${id}`;
    const findBy = async (field: string, value: string): Promise<Payload | undefined> =>
      this.#alive().find(([key, { payload }]) => key.startsWith(`${model}:`) && payload[field] === value)?.[1]
        .payload;
    return {
      upsert: async (id: string, payload: Payload, expiresIn?: number) =>
        this.#set(name(id), payload, expiresIn === undefined ? null : Date.now() + expiresIn * 1000),
      find: async (id: string) => this.#get(name(id))?.payload,
      findByUid: (uid: string) => findBy('uid', uid),
      findByUserCode: (userCode: string) => findBy('userCode', userCode),
      destroy: async (id: string) => this.#remove([name(id)]),
      consume: async (id: string) => {
        const entry = this.#get(name(id));
        const consumed = Math.floor(Date.now() / 1000);
        if (entry !== undefined) this.#set(name(id), { ...entry.payload, consumed }, entry.expiresAt);
      },
      revokeByGrantId: async (grantId: string) =>
        this.#remove(
          this.#alive()
            .filter(([, { payload }]) => payload['grantId'] === grantId)
            .map(([key]) => key),
        ),
    };
  }

  /** Forgets every grant and what came of it. */
  revokeAll(): void {
    const isOfGrant = ([key, { payload }]: [string, Entry]): boolean =>
      key.startsWith('Grant:') || payload['grantId'] !== undefined;
    this.#remove(
      this.#alive()
        .filter(isOfGrant)
        .map(([key]) => key),
    );
  }

  #alive(): [string, Entry][] {
    return [...this.#entries].filter(([key]) => this.#get(key) !== undefined);
  }

  #get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt === null || entry.expiresAt > Date.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #set(key: string, payload: Payload, expiresAt: number | null): void {
    this.#entries.delete(key);
    this.#entries.set(key, { payload, expiresAt });
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= maxEntries) break;
      this.#entries.delete(oldest);
    }
    this.#save();
  }

  #remove(keys: readonly string[]): void {
    for (const key of keys) this.#entries.delete(key);
    this.#save();
  }

  #save(): void {
    if (this.#file === undefined) return;
    const { key, cookieKey } = this;
    const kept: Kept = { version: 1, key, cookieKey, entries: this.#alive() };
    writeFileSync(this.#file, JSON.stringify(kept), { mode: 0o600 });
  }
}

function readKept(file: string): Kept {
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<Kept>;
  if (
    kept.version !== 1 ||
    kept.key === undefined ||
    kept.cookieKey === undefined ||
    !Array.isArray(kept.entries)
  )
    throw new Error(`${file} is not a file of the demo's authorisation server.`);
  return kept as Kept;
}
