// What was renewed and cannot be written, and a record that cannot be had, on a clock of the test's own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Renewing, type Renewed } from '../../src/auth/renewing.ts';
import type { OAuthSignIn } from '../../src/auth/sign-in.ts';
import { openStore } from '../../src/auth/store/open-store.ts';
import type { SignInStore, StoreFailure } from '../../src/auth/store/store.ts';
import { FakeClock } from '../support/fake-clock.ts';

const FAILURE: StoreFailure = { kind: 'failed', code: 'ERR_STORE_FAILED', message: 'full', remedy: '' };

function signInWith(refreshToken: string): OAuthSignIn {
  return {
    kind: 'oauth',
    issuer: 'https://as.example',
    clientId: 'c',
    refreshToken,
    grant: 'authorization_code',
  };
}

test('AU4 a refresh token that could not be written is written later, also where the record cannot be had for a while', async () => {
  const clock = new FakeClock();
  let stored = signInWith('old');
  let canWrite = false;
  let canLock = true;
  let asked = 0;
  const store: Pick<SignInStore, 'exclusively'> = {
    exclusively: async (_key, work) => {
      asked += 1;
      return canLock
        ? work({
            load: async () => ({ kind: 'ok', value: stored }),
            update: async (signIn) => {
              if (!canWrite) return FAILURE;
              stored = signIn as OAuthSignIn;
              return { kind: 'ok', value: undefined };
            },
            mark: async () => ({ kind: 'ok', value: undefined }),
          })
        : FAILURE;
    },
  };
  const renewing = new Renewing({
    key: 'k',
    store: store as SignInStore,
    renew: async () => ({ kind: 'renewed', access: { token: 't' }, signIn: signInWith('new') }),
    clock,
  });
  const note = { key: 'k', kind: 'oauth', place: 'file', signedInAt: 1 } as const;
  expect(await renewing.run(note)).toMatchObject({ kind: 'access' });
  canLock = false;
  await clock.advance(600_000);
  expect(stored.refreshToken).toBe('old');
  // Each time may open a window.
  expect(asked).toBeLessThan(12);
  [canWrite, canLock] = [true, true];
  await clock.advance(300_000);
  expect(stored.refreshToken).toBe('new');
  expect(clock.pendingTimers).toBe(0);
});

test('AU4 a record that others have for too long may be had later: no fault of the store', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'mcp-bridge-store-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }));
  const clock = new FakeClock();
  const store = openStore({ stateDir }, {}, { insecure: true, clock });
  await store.save('k', signInWith('r'));
  const others = Promise.withResolvers<void>();
  const held = store.exclusively('k', async () => {
    await others.promise;
    return { kind: 'ok', value: undefined };
  });
  const renew = async (): Promise<Renewed> => ({ kind: 'away', message: 'It hangs.' });
  const renewing = new Renewing({ key: 'k', store, renew, clock });
  const outcome = renewing.run(store.note('k')!);
  const removed = store.remove('k');
  await clock.advance(46_000);
  expect(await outcome).toMatchObject({ kind: 'away', message: expect.stringContaining('in use') });
  expect(await removed).toMatchObject({ kind: 'failed', remedy: 'Try again in a moment.' });
  others.resolve();
  expect(await held).toMatchObject({ kind: 'ok' });
});
