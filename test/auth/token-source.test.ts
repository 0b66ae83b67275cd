// What a refusal does to the token of a service, in this process, on a clock of the test's own.
import { describe, expect, test } from 'vitest';
import type { Renew } from '../../src/auth/renewing.ts';
import { TokenSource } from '../../src/auth/token-source.ts';
import type { OAuthSignIn, SignIn } from '../../src/auth/sign-in.ts';
import type { SignInStore } from '../../src/auth/store/store.ts';
import { Abort } from '../../src/platform/abort.ts';
import { sleep } from '../../src/platform/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

function useSource(
  signIn?: SignIn,
  renew: Renew = async () => ({ kind: 'refused' }),
): { source: TokenSource; clock: FakeClock; heard: () => number; signInAnew: (next: SignIn) => void } {
  const clock = new FakeClock();
  let signedInAt = 1;
  const store: SignInStore = {
    note: () =>
      signIn === undefined ? undefined : { key: 'k', kind: signIn.kind, place: 'file', signedInAt },
    load: async () => ({ kind: 'ok', value: signIn }),
    check: async () => ({ kind: 'ok', value: undefined }),
    save: async () => ({ kind: 'ok', value: undefined }),
    remove: async () => ({ kind: 'ok', value: false }),
    exclusively: (_key, work) =>
      work({
        load: async () => ({ kind: 'ok', value: signIn }),
        update: async () => ({ kind: 'ok', value: undefined }),
        mark: async () => ({ kind: 'ok', value: undefined }),
      }),
  };
  const source = new TokenSource({
    key: 'k',
    host: 'service.example',
    loginTarget: 'work',
    store,
    renew,
    clock,
    rng: () => 0.5,
  });
  let changes = 0;
  source.onChange(() => (changes += 1));
  const signInAnew = (next: SignIn): void => {
    signIn = next;
    signedInAt += 1;
  };
  return { source, clock, heard: () => changes, signInAnew };
}

const { signal } = new Abort();

const signIn: OAuthSignIn = {
  kind: 'oauth',
  issuer: 'https://as.example',
  clientId: 'c',
  refreshToken: 'r',
  grant: 'authorization_code',
};

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

test.each([
  ['before the refusal is there, because the watch tells of it', true],
  ['with the refusal', false],
])(
  'AU7 a refusal for scopes is no matter when somebody has signed in since: seen %s',
  async (_when, isSeen) => {
    const { source, signInAnew } = useSource({ kind: 'token', token: 'old' });
    const challenge = 'Bearer error="insufficient_scope", scope="read write"';
    await source.obtain(signal);
    signInAnew({ kind: 'token', token: 'new' });
    if (isSeen) source.look();
    expect(source.scopeMissing(challenge, 'Bearer old')).toBe('renewed');
    expect(await source.refused('Bearer old', signal)).toBeUndefined();
    expect(source.header).toBe('Bearer new');
    // Another one that was on its way with the old one; and one that went with the new one.
    expect(source.scopeMissing(challenge, 'Bearer old')).toBe('renewed');
    expect(source.scopeMissing(challenge, 'Bearer new')).toMatchObject({ code: 'ERR_AUTH_SCOPE' });
    expect(source.scopeMissing('Bearer error="invalid_request"', 'Bearer old')).toBeUndefined();
  },
);

test('AU4 all that are refused while the token is renewed go on with the new one', async () => {
  let asked = 0;
  const { source, clock } = useSource(signIn, async () => {
    asked += 1;
    await sleep(clock, asked > 1 ? 200 : 0);
    return { kind: 'renewed', access: { token: `t${asked}` }, signIn };
  });
  const obtained = source.obtain(signal);
  await clock.advance(0);
  expect(await obtained).toBeUndefined();
  const first = source.refused('Bearer t1', signal);
  await clock.advance(100);
  const others = ['Bearer t1', 'Bearer t1'].map((header) => source.refused(header, signal));
  await clock.advance(200);
  expect(await Promise.all([first, ...others])).toEqual([undefined, undefined, undefined]);
  expect([source.header, asked]).toEqual(['Bearer t2', 2]);
  // And one that comes after it; but what is refused although it is new is not renewed again at once.
  expect(await source.refused('Bearer t1', signal)).toBeUndefined();
  expect(await source.refused('Bearer t2', signal)).toMatchObject({ waitsForPerson: false });
  expect(asked).toBe(2);
});

test('ST5 tells one observer a profile, however many sessions of it there were', async () => {
  const { source } = useSource({ kind: 'token', token: 't' });
  let told = 0;
  for (let session = 0; session < 5; session += 1) source.observe('work', () => (told += 1));
  source.observe('home', () => (told += 1));
  await source.obtain(signal);
  expect(told).toBe(2);
});

describe('AU4 while the authorization server is away', () => {
  /** Has a token for four seconds, and gets no other. */
  async function useAway(): Promise<ReturnType<typeof useSource> & { asked: () => number }> {
    let asked = 0;
    const made = useSource(signIn, async () => {
      asked += 1;
      if (asked > 1) return { kind: 'away', message: 'as.example answers with HTTP 503.' };
      return { kind: 'renewed', access: { token: 't', expiresAt: made.clock.wallTime() + 4000 }, signIn };
    });
    expect(await made.source.obtain(signal)).toBeUndefined();
    expect(made.source.isReady).toBe(true);
    return { ...made, asked: () => asked };
  }

  test('what is valid goes on being used, and renewing is tried again, later each time', async () => {
    const { source, clock, asked } = await useAway();
    await clock.advance(3500);
    expect(asked()).toBe(2);
    expect([source.isReady, source.header]).toEqual([true, 'Bearer t']);
    await clock.advance(1000);
    expect(source.isReady).toBe(false);
    expect(await source.obtain(signal)).toMatchObject({
      failure: { code: 'ERR_AUTH_UNREACHABLE' },
      waitsForPerson: false,
    });
    const before = asked();
    for (let second = 0; second < 120; second += 1) {
      await clock.advance(1000);
      await source.obtain(signal);
    }
    expect(asked() - before).toBeLessThan(12);
  });

  test('a token that the service refuses early is no case for a person', async () => {
    const { source, clock } = await useAway();
    await clock.advance(3500);
    expect(await source.refused('Bearer t', signal)).toMatchObject({
      failure: { code: 'ERR_AUTH_UNREACHABLE' },
      waitsForPerson: false,
    });
    expect(source.isNeeded).toBe(false);
    expect(source.isReady).toBe(false);
  });
});
