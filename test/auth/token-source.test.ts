// What a refusal does to the token of a service, in this process, on a clock of the test's own.
import { expect, test } from 'vitest';
import { TokenSource } from '../../src/auth/token-source.ts';
import type { SignIn } from '../../src/auth/sign-in.ts';
import type { SignInStore } from '../../src/auth/store/store.ts';
import { Abort } from '../../src/platform/abort.ts';
import { FakeClock } from '../support/fake-clock.ts';

function useSource(signIn?: SignIn): { source: TokenSource; clock: FakeClock; heard: () => number } {
  const clock = new FakeClock();
  const store: SignInStore = {
    note: () =>
      signIn === undefined ? undefined : { key: 'k', kind: signIn.kind, place: 'file', signedInAt: 1 },
    load: async () => ({ kind: 'ok', value: signIn }),
    check: async () => ({ kind: 'ok', value: undefined }),
    save: async () => ({ kind: 'ok', value: undefined }),
    remove: async () => ({ kind: 'ok', value: false }),
    exclusively: async () => ({
      kind: 'failed',
      code: 'ERR_STORE_FAILED',
      message: 'not in this test',
      remedy: '',
    }),
  };
  const source = new TokenSource({
    key: 'k',
    host: 'service.example',
    loginTarget: 'work',
    store,
    renew: async () => ({ kind: 'refused' }),
    clock,
    rng: () => 0.5,
  });
  let changes = 0;
  source.onChange(() => (changes += 1));
  return { source, clock, heard: () => changes };
}

const { signal } = new Abort();

test('AU7 nobody is signed in: asks the service again after a minute, because its 401 may have been a passing fault', async () => {
  const { source, clock, heard } = useSource();
  expect(await source.obtain(signal)).toBeUndefined();
  expect(await source.refused(undefined, signal)).toMatchObject({ waitsForPerson: true });
  await clock.advance(59_000);
  expect(await source.obtain(signal)).toMatchObject({ failure: { code: 'ERR_AUTH_REQUIRED' } });
  expect(heard()).toBe(0);
  await clock.advance(2000);
  expect(heard()).toBe(1);
  expect(await source.obtain(signal)).toBeUndefined();
  // Told again what it was told before, it waits again.
  expect(await source.refused(undefined, signal)).toMatchObject({ waitsForPerson: true });
  expect(await source.obtain(signal)).toBeDefined();
  expect(heard()).toBe(1);
});

test('AU7 a fixed token that was refused is shown again after a minute', async () => {
  const { source, clock, heard } = useSource({ kind: 'token', token: 't' });
  expect(await source.obtain(signal)).toBeUndefined();
  expect(await source.refused('Bearer t', signal)).toMatchObject({ waitsForPerson: true });
  expect(source.isReady).toBe(false);
  await clock.advance(61_000);
  expect(heard()).toBe(1);
  expect(await source.obtain(signal)).toBeUndefined();
  expect(source.header).toBe('Bearer t');
});
