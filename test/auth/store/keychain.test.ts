// The keychain as a user's desktop has it: GNOME's keyring on a session bus, and all that may be wrong with it. Linux alone; the
// other systems differ below keytar.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SignIn } from '../../../src/auth/sign-in.ts';
import { openStore, type StoreOptions } from '../../../src/auth/store/open-store.ts';
import { recordFiles } from '../../../src/auth/store/places.ts';
import { storeKey, type SignInStore, type StoreResult } from '../../../src/auth/store/store.ts';
import { textBelow } from '../../support/files.ts';
import { SecretService } from '../../support/secret-service.ts';
import { fairMs } from '../../support/fair-time.ts';

const keychainProgram = join(import.meta.dirname, '../../../dist/app/keychain.cjs');
const KEY = storeKey(new URL('https://service.example/mcp?token=not-part-of-it'));
const SIGN_IN: SignIn = {
  kind: 'oauth',
  issuer: 'https://as.example',
  resource: 'https://service.example/mcp',
  clientId: 'a-client',
  refreshToken: 'a-refresh-token-that-nobody-may-see',
  grant: 'authorization_code',
};
/** What every failure must come within. */
const LIMIT_MS = 6000;

function useStore(env: NodeJS.ProcessEnv, options: StoreOptions = {}): SignInStore & { stateDir: string } {
  const stateDir = mkdtempSync(join(tmpdir(), 'mcp-bridge-store-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }));
  const store = openStore({ stateDir }, env, { keychainProgram, ...options });
  return Object.assign(store, { stateDir });
}

async function failureWithin<T>(call: Promise<StoreResult<T>>): Promise<StoreResult<T>> {
  const startedAt = performance.now();
  const result = await call;
  expect(fairMs(startedAt)).toBeLessThan(LIMIT_MS);
  return result;
}

describe('AU2 the keychain', () => {
  test('keeps a record, gives it to another process, and forgets it, with no secret in any file', async (context) => {
    const service = await SecretService.start(context);
    await service.openKeyring();
    const store = useStore(service.env);
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: undefined });

    expect(await store.save(KEY, SIGN_IN)).toEqual({ kind: 'ok', value: undefined });
    const other = openStore({ stateDir: store.stateDir }, service.env, { keychainProgram });
    expect(await other.load(KEY)).toEqual({ kind: 'ok', value: SIGN_IN });
    expect(other.note(KEY)).toMatchObject({ key: KEY, place: 'keychain', kind: 'oauth' });
    const found = execFileSync('secret-tool', ['lookup', 'service', 'mcp-bridge', 'account', KEY], {
      env: service.env,
      encoding: 'utf8',
    });
    expect(JSON.parse(found)).toEqual(SIGN_IN);
    expect(textBelow(store.stateDir)).not.toContain('nobody-may-see');

    expect(await other.remove(KEY)).toEqual({ kind: 'ok', value: true });
    expect(await other.remove(KEY)).toEqual({ kind: 'ok', value: false });
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: undefined });
  });

  test('is told from an empty one while it is locked, and works again when it is open', async (context) => {
    const service = await SecretService.start(context);
    await service.openKeyring();
    const store = useStore(service.env);
    await store.save(KEY, SIGN_IN);

    await service.lockKeyring();
    const locked = { kind: 'failed', code: 'ERR_KEYCHAIN_LOCKED' };
    expect(await failureWithin(store.load(KEY))).toMatchObject(locked);
    expect(await failureWithin(store.save(KEY, SIGN_IN))).toMatchObject(locked);
    expect(await failureWithin(store.remove(KEY))).toMatchObject(locked);

    await service.openKeyring();
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: SIGN_IN });
  });

  test('is empty where its entry was removed by hand, not locked', async (context) => {
    const service = await SecretService.start(context);
    await service.openKeyring();
    const store = useStore(service.env);
    await store.save(KEY, SIGN_IN);
    execFileSync('secret-tool', ['clear', 'service', 'mcp-bridge', 'account', KEY], { env: service.env });
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: undefined });
    expect(await store.remove(KEY)).toEqual({ kind: 'ok', value: true });
  });

  test('that never answers is given up', async (context) => {
    const service = await SecretService.start(context);
    await service.startBlackHole();
    const store = useStore(service.env);
    const result = await failureWithin(store.save(KEY, SIGN_IN));
    expect(result).toMatchObject({ kind: 'failed', code: 'ERR_KEYCHAIN_TIMEOUT' });
    await expect.poll(runningKeychainPrograms).toEqual([]);
  });
});

describe('AU3 where there is no keychain', () => {
  test('a bus without one, no bus, and no library: each is said in its own words, with the choices', async (context) => {
    const service = await SecretService.start(context);
    const { DBUS_SESSION_BUS_ADDRESS: _, ...noBus } = service.env;
    const results = {
      service: await failureWithin(useStore(service.env).save(KEY, SIGN_IN)),
      bus: await failureWithin(useStore(noBus).save(KEY, SIGN_IN)),
      dead: await failureWithin(
        useStore({ ...noBus, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/bus' }).save(KEY, SIGN_IN),
      ),
      library: await failureWithin(
        useStore(service.env, { keychainProgram: withoutLibrary() }).save(KEY, SIGN_IN),
      ),
    };
    for (const result of Object.values(results)) {
      expect(result).toMatchObject({ kind: 'failed', code: 'ERR_KEYCHAIN_MISSING' });
      expect(result).toHaveProperty('remedy', expect.stringMatching(/--insecure-storage.*MCP_BRIDGE_TOKEN/));
    }
    expect(results.service).toHaveProperty('message', expect.stringContaining('org.freedesktop.secrets'));
    expect(results.bus).toHaveProperty('message', expect.stringContaining('no D-Bus session bus'));
    expect(results.dead).toHaveProperty('message', expect.stringContaining('no D-Bus session bus'));
    expect(results.library).toHaveProperty('message', expect.stringContaining('libsecret'));
  });

  test('nothing is written, and nothing is asked where nobody has signed in', async () => {
    const store = useStore({}, { keychainProgram: '/nowhere/keychain.cjs' });
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: undefined });
    expect(await store.save(KEY, SIGN_IN)).toMatchObject({ kind: 'failed', code: 'ERR_KEYCHAIN_FAILED' });
    expect(textBelow(store.stateDir)).toBe('');
  });

  test('a file is used when it is asked for by name: closed to others, and gone after the removal', async () => {
    const store = useStore({}, { insecure: true });
    expect(await store.save(KEY, SIGN_IN)).toEqual({ kind: 'ok', value: undefined });
    const [name] = readdirSync(join(store.stateDir, 'secrets'));
    const file = join(store.stateDir, 'secrets', name!);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(store.stateDir, 'secrets')).mode & 0o777).toBe(0o700);

    // A bridge that refreshes it is told nothing of places.
    const bridge = openStore({ stateDir: store.stateDir }, {}, { keychainProgram });
    expect(await bridge.load(KEY)).toEqual({ kind: 'ok', value: SIGN_IN });
    const note = bridge.note(KEY);
    const rotated = { ...SIGN_IN, refreshToken: 'the next one' };
    await bridge.exclusively(KEY, (record) => record.update(rotated));
    expect(await store.load(KEY)).toEqual({ kind: 'ok', value: rotated });
    expect(store.note(KEY)).toEqual(note);

    expect(await bridge.remove(KEY)).toEqual({ kind: 'ok', value: true });
    expect(readdirSync(join(store.stateDir, 'secrets'))).toEqual([]);
  });

  test('a file that others can read is refused', async () => {
    const store = useStore({}, { insecure: true });
    await store.save(KEY, SIGN_IN);
    const [name] = readdirSync(join(store.stateDir, 'secrets'));
    chmodSync(join(store.stateDir, 'secrets', name!), 0o644);
    expect(await store.load(KEY)).toMatchObject({ kind: 'failed', code: 'ERR_STORE_FAILED' });
  });
});

test('AU4 a note that cannot be read for a moment is no sign-out', async () => {
  const store = useStore({}, { insecure: true });
  await store.save(KEY, SIGN_IN);
  const { marker } = recordFiles(store, KEY);
  const text = readFileSync(marker, 'utf8');
  const note = store.note(KEY);
  // Fails for root too, as too many open files would.
  rmSync(marker);
  mkdirSync(marker);
  expect(store.note(KEY)).toEqual(note);
  expect(await store.load(KEY)).toMatchObject({ kind: 'failed', code: 'ERR_STORE_FAILED' });
  expect(await store.remove(KEY)).toMatchObject({ kind: 'failed', code: 'ERR_STORE_FAILED' });
  rmdirSync(marker);
  expect(store.note(KEY)).toBeUndefined();
  writeFileSync(marker, text);
  expect(store.note(KEY)).toEqual(note);
  expect(await store.load(KEY)).toEqual({ kind: 'ok', value: SIGN_IN });
  writeFileSync(marker, 'null');
  expect(store.note(KEY)).toBeUndefined();
});

test('AU2 a record that Windows could not hold is refused before the keychain is asked', async () => {
  const store = useStore({}, { keychainProgram: '/nowhere/keychain.cjs' });
  const result = await store.save(KEY, { kind: 'token', token: 'x'.repeat(3000) });
  expect(result).toMatchObject({ kind: 'failed', code: 'ERR_STORE_FAILED' });
});

test('AU4 one process at a time works on a record', async () => {
  const store = useStore({}, { insecure: true });
  await store.save(KEY, SIGN_IN);
  const other = openStore({ stateDir: store.stateDir }, {}, { keychainProgram });
  let inside = 0;
  let most = 0;
  const work = (owner: SignInStore): Promise<StoreResult<void>> =>
    owner.exclusively(KEY, async (record) => {
      inside += 1;
      most = Math.max(most, inside);
      const loaded = await record.load();
      inside -= 1;
      return loaded.kind === 'ok' ? { kind: 'ok', value: undefined } : loaded;
    });
  const results = await Promise.all([store, other, store, other, store].map(work));
  expect(results.every(({ kind }) => kind === 'ok')).toBe(true);
  expect(most).toBe(1);
});

/** The program with a keytar whose native part asks for a library that is not there, as without libsecret. */
function withoutLibrary(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-bridge-no-library-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const program = join(dir, 'keychain.cjs');
  cpSync(keychainProgram, program);
  const keytar = join(dir, 'node_modules/keytar');
  cpSync(join(import.meta.dirname, '../../../node_modules/keytar'), keytar, { recursive: true });
  const native = join(keytar, 'prebuilds', `linux-${process.arch}`, 'keytar.node');
  const bytes = readFileSync(native);
  const at = bytes.indexOf('libsecret-1.so');
  expect(at).toBeGreaterThan(0);
  bytes.write('libsecret-x.so', at);
  writeFileSync(native, bytes);
  return program;
}

/** What this process has started of it and has not ended. */
function runningKeychainPrograms(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ', 1)[0]);
      const isZombie = stat[stat.lastIndexOf(')') + 2] === 'Z';
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      return parent === process.pid && !isZombie && command.includes('keychain.cjs');
    } catch {
      return false;
    }
  });
}
