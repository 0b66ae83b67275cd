// What was renewed and cannot be written, on a clock of the test's own.
import { expect, test } from 'vitest';
import { Renewing } from '../../src/auth/renewing.ts';
import type { OAuthSignIn } from '../../src/auth/sign-in.ts';
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
