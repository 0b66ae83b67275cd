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
): {
  source: TokenSource;
  clock: FakeClock;
  heard: () => number;
  signInAnew: (next: SignIn | undefined) => void;
} {
  const clock = new FakeClock();
  let signedInAt = 1;
  let kept = signIn;
  const store: SignInStore = {
    note: () =>
      signIn === undefined ? undefined : { key: 'k', kind: signIn.kind, place: 'file', signedInAt },
    load: async () => ({ kind: 'ok', value: kept }),
    check: async () => ({ kind: 'ok', value: undefined }),
    save: async () => ({ kind: 'ok', value: undefined }),
    remove: async () => ({ kind: 'ok', value: false }),
    exclusively: (_key, work) =>
      work({
        load: async () => ({ kind: 'ok', value: kept }),
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
  const signInAnew = (next: SignIn | undefined): void => {
    kept = next;
    signedInAt += 1;
  };
  return { source, clock, heard: () => changes, signInAnew };
}

const HOUR_MS = 3_600_000;
/** Where `rng` says 0.5. */
const RENEWED_AHEAD_MS = 300_000;

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

/** A source of tokens that last an hour; `make` is told which one is asked for. */
function useRenewable(
  make: (asked: number) => Promise<{ token: string; expiresAt?: number }>,
  from: OAuthSignIn = signIn,
): ReturnType<typeof useSource> & { asked: () => number } {
  let asked = 0;
  const made = useSource(from, async () => {
    asked += 1;
    const expiresAt = made.clock.wallTime() + HOUR_MS;
    return { kind: 'renewed', access: { expiresAt, ...(await make(asked)) }, signIn: from };
  });
  return { ...made, asked: () => asked };
}

test('AU4 all that are refused while the token is renewed go on with the new one', async () => {
  const { source, clock, asked } = useRenewable(async (nth) => {
    if (nth > 1) await sleep(clock, 200);
    return { token: `t${nth}` };
  });
  expect(await source.obtain(signal)).toBeUndefined();
  const first = source.refused('Bearer t1', signal);
  await clock.advance(100);
  const others = ['Bearer t1', 'Bearer t1'].map((header) => source.refused(header, signal));
  await clock.advance(200);
  expect(await Promise.all([first, ...others])).toEqual([undefined, undefined, undefined]);
  expect([source.header, asked()]).toEqual(['Bearer t2', 2]);
  // And one that comes after it; but what is refused although it is new is not renewed again at once.
  expect(await source.refused('Bearer t1', signal)).toBeUndefined();
  expect(await source.refused('Bearer t2', signal)).toMatchObject({ waitsForPerson: false });
  expect(asked()).toBe(2);
});

test('AU4 who gives up while the token is renewed does not spoil it for the others', async () => {
  const { source, clock } = useRenewable(async (nth) => {
    if (nth > 1) await sleep(clock, 200);
    return { token: `t${nth}` };
  });
  await source.obtain(signal);
  expect(source.isReady).toBe(true);
  // Renewed ahead of its end, while it is still in use.
  await clock.advance(HOUR_MS - RENEWED_AHEAD_MS);
  const abort = new Abort();
  const given = source.refused('Bearer t1', abort);
  abort.abort();
  await given;
  expect([source.isNeeded, source.header]).toEqual([false, 'Bearer t1']);
  await clock.advance(200);
  expect([source.isReady, source.header]).toEqual([true, 'Bearer t2']);
});

test('AU7 a sign-in that changes while it is fetched is fetched once more', async () => {
  const { source, signInAnew } = useRenewable(async (nth) => {
    if (nth === 1) signInAnew(signIn);
    return { token: `t${nth}` };
  });
  expect(await source.obtain(signal)).toBeUndefined();
  expect(source.header).toBe('Bearer t2');
});

test('AU4 a token that has ended when it arrives, because the machine slept, is fetched once more', async () => {
  const { source, clock } = useRenewable(async (nth) => ({
    token: `t${nth}`,
    ...(nth === 1 && { expiresAt: clock.wallTime() - 1 }),
  }));
  expect(await source.obtain(signal)).toBeUndefined();
  expect(source.header).toBe('Bearer t2');
});

test('AU4 a late refusal of the token before is no refusal of the next one', async () => {
  let isAway = false;
  const { source, clock } = useSource(signIn, async () =>
    isAway
      ? { kind: 'away', message: 'as.example answers with HTTP 503.' }
      : { kind: 'renewed', access: { token: `t${clock.now()}` }, signIn },
  );
  await source.obtain(signal);
  isAway = true;
  expect(await source.refused('Bearer t0', signal)).toMatchObject({
    failure: { code: 'ERR_AUTH_UNREACHABLE' },
  });
  isAway = false;
  await clock.advance(2000);
  expect(await source.refused('Bearer t0', signal)).toBeUndefined();
  expect(source.header).toBe('Bearer t2000');
});

describe('AU4 a sign-in that cannot be renewed', () => {
  const expiresAt = new FakeClock().wallTime() + HOUR_MS;
  const last: OAuthSignIn = {
    kind: 'oauth',
    issuer: 'https://as.example',
    clientId: 'c',
    access: { token: 't', expiresAt },
    grant: 'authorization_code',
  };

  test('is left alone until its token ends', async () => {
    const { source, clock, asked } = useRenewable(async () => ({ token: 't', expiresAt }), last);
    await source.obtain(signal);
    for (let minute = 0; minute < 59; minute += 1) {
      expect(source.isReady).toBe(true);
      await clock.advance(60_000);
    }
    expect(asked()).toBe(1);
  });

  test('is shown again a minute after a refusal, because that may have been a passing fault', async () => {
    const { source, clock } = useRenewable(async () => ({ token: 't', expiresAt }), last);
    await source.obtain(signal);
    expect(await source.refused('Bearer t', signal)).toMatchObject({ waitsForPerson: true });
    await clock.advance(61_000);
    expect(await source.obtain(signal)).toBeUndefined();
    expect(source.header).toBe('Bearer t');
  });
});

test('AU7 a sign-in whose record has gone from the keychain is none', async () => {
  const { source, signInAnew } = useSource({ kind: 'token', token: 't' });
  signInAnew(undefined);
  expect(await source.obtain(signal)).toBeUndefined();
  expect(await source.refused(undefined, signal)).toMatchObject({ waitsForPerson: true });
  expect(source.isNeeded).toBe(true);
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

  /** Has a token for an hour, and hears for five seconds nothing of the next one. */
  function useRenewableOnce(): ReturnType<typeof useSource> {
    let asked = 0;
    const made = useSource(signIn, async () => {
      asked += 1;
      if (asked === 1)
        return {
          kind: 'renewed',
          access: { token: 't', expiresAt: made.clock.wallTime() + HOUR_MS },
          signIn,
        };
      await sleep(made.clock, 5000);
      return { kind: 'away', message: 'as.example does not answer.' };
    });
    return made;
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

  test('a token that the service refuses while it is asked is no case for a person either', async () => {
    const { source, clock } = useRenewableOnce();
    await source.obtain(signal);
    expect(source.isReady).toBe(true);
    await clock.advance(HOUR_MS - RENEWED_AHEAD_MS);
    const refused = source.refused('Bearer t', signal);
    await clock.advance(5000);
    expect(await refused).toMatchObject({
      failure: { code: 'ERR_AUTH_UNREACHABLE' },
      waitsForPerson: false,
    });
    expect(source.isNeeded).toBe(false);
  });

  test('a wake, or another network, ends the wait for it', async () => {
    const { source, clock, asked } = await useAway();
    await clock.advance(4500);
    const before = asked();
    expect(await source.obtain(signal)).toMatchObject({ failure: { code: 'ERR_AUTH_UNREACHABLE' } });
    expect(asked()).toBe(before);
    source.checkNow();
    await source.obtain(signal);
    expect(asked()).toBe(before + 1);
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
