// Signing in, with a real authorization server: what goes over the wire, what is kept, and what comes of it later.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readClientKey, signInByCredentials } from '../../src/auth/client-credentials.ts';
import { signInByDevice } from '../../src/auth/device-code.ts';
import { refresh, type Refreshed } from '../../src/auth/refresh.ts';
import { createRenewal } from '../../src/auth/renewal.ts';
import { revoke } from '../../src/auth/revoke.ts';
import type { OAuthSignIn } from '../../src/auth/sign-in.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { useProtectedService } from '../support/protected-service.ts';
import { browse } from '../support/sign-in-browser.ts';
import { around, discovered, flowParts, signInAs } from './signing-in.ts';

const refreshed = (signIn: OAuthSignIn, service: string): Promise<Refreshed> =>
  refresh(signIn, { ...around(service), clock: systemClock });

function valueOf(result: Refreshed): Extract<Refreshed, { kind: 'ok' }> {
  if (result.kind === 'failed') throw new Error(`${result.code}: ${result.message}`);
  return result;
}

describe('AU1 in the browser', () => {
  test('finds the server from the challenge, registers, and keeps what is needed to renew', async () => {
    const { service, authorization } = await useProtectedService();
    const found = await discovered(service.url);
    expect(found).toMatchObject({
      resource: service.url,
      resourceName: 'Demo notes',
      scopes: { challenge: 'notes', resource: ['notes'] },
    });
    const asked: URL[] = [];
    const { signIn, access } = await signInAs(await flowParts(service.url), (url) => {
      asked.push(url);
      return browse(url.href);
    });
    expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      resource: service.url,
      scope: 'notes offline_access',
      state: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
    expect(signIn).toMatchObject({
      kind: 'oauth',
      issuer: authorization.issuer,
      resource: service.url,
      refreshToken: expect.any(String),
      grant: 'authorization_code',
    });
    expect(signIn.access).toBeUndefined();
    expect(authorization.verify(access.token, service.url)).toMatchObject({ sub: 'ada' });
    expect(authorization.counts).toMatchObject({ registered: 1, signIns: 1 });
    expect(Buffer.byteLength(JSON.stringify(signIn))).toBeLessThan(2560);
  });

  test('shows the person the outcome only once it is settled', async () => {
    const { service } = await useProtectedService();
    const shown = Promise.withResolvers<Awaited<ReturnType<typeof browse>>>();
    await signInAs(await flowParts(service.url), (url) => browse(url.href).then(shown.resolve));
    const page = await shown.promise;
    expect(page.status).toBe(200);
    expect(page.text).toContain('You are signed in');
    expect(page.text).toContain('Demo notes');
  });

  test('says that the person declined, in the terminal and on the page', async () => {
    const { service, authorization } = await useProtectedService();
    const shown = Promise.withResolvers<Awaited<ReturnType<typeof browse>>>();
    const attempt = signInAs(await flowParts(service.url), (url) =>
      browse(url.href, { answer: 'deny' }).then(shown.resolve),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'ERR_AUTH_REFUSED',
      message: expect.stringContaining('declined'),
    });
    expect(await shown.promise).toMatchObject({ status: 400, text: expect.stringContaining('declined') });
    expect(authorization.counts.signIns).toBe(0);
  });

  test('takes a client that was registered beforehand, with its secret', async () => {
    const client = {
      client_id: 'given',
      client_secret: 'a-secret-that-is-long-enough-for-anyone',
      redirect_uris: ['http://127.0.0.1/callback'],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    };
    const { service, authorization } = await useProtectedService({ clients: [client], registration: false });
    const known = { clientId: client.client_id, clientSecret: client.client_secret };
    const { signIn } = await signInAs(await flowParts(service.url, { client: { known } }));
    expect(signIn).toMatchObject({ clientId: 'given', clientSecret: client.client_secret });
    expect(authorization.counts.registered).toBe(0);
    expect(valueOf(await refreshed(signIn, service.url)).access.token).toMatch(/^ey/);
  });

  test('says what to do where no program may register itself', async () => {
    const { service } = await useProtectedService({ registration: false });
    await expect(signInAs(await flowParts(service.url))).rejects.toMatchObject({
      code: 'ERR_AUTH_NOT_OFFERED',
      remedy: expect.stringContaining('--client-id'),
    });
  });
});

describe('a sign-in that is kept', () => {
  test('is renewed, and its refresh token with it; the old one ends the family', async () => {
    const { service, authorization } = await useProtectedService({
      autoApprove: 'ada',
      accessTokenSeconds: 60,
    });
    const { signIn } = await signInAs(await flowParts(service.url));
    const next = valueOf(await refreshed(signIn, service.url));
    expect(next.signIn.refreshToken).not.toBe(signIn.refreshToken);
    expect(next.access.expiresAt).toBeGreaterThan(Date.now() + 50_000);
    expect(authorization.verify(next.access.token, service.url)).toMatchObject({ scope: 'notes' });
    for (const each of [signIn, next.signIn])
      expect(await refreshed(each, service.url)).toMatchObject({ kind: 'failed', code: 'ERR_AUTH_REVOKED' });
  });

  test('is not taken for revoked while the server is away or broken', async () => {
    const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
    const { signIn } = await signInAs(await flowParts(service.url));
    await authorization.goAway();
    expect(await refreshed(signIn, service.url)).toMatchObject({ code: 'ERR_AUTH_UNREACHABLE' });
    await authorization.comeBack();
    authorization.intercept = (request, response) => {
      if (request.method !== 'POST') return false;
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
      return true;
    };
    expect(await refreshed(signIn, service.url)).toMatchObject({ code: 'ERR_AUTH_UNREACHABLE' });
    authorization.intercept = undefined;
    expect(await refreshed(signIn, service.url)).toMatchObject({ kind: 'ok' });
  });

  test.each([
    [429, { error: 'too_many_requests' }, 'away'],
    [404, { status: 404, error: 'Not Found' }, 'away'],
    [403, { error: 'Forbidden' }, 'away'],
    [400, { error: 'slow_down' }, 'away'],
    [400, { error: 'invalid_grant' }, 'refused'],
    [403, { error: 'invalid_grant' }, 'refused'],
  ])('renewed with the answer %i %j is %s', async (status, body, kind) => {
    const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
    const { signIn } = await signInAs(await flowParts(service.url));
    authorization.intercept = (request, response) => {
      if (request.method !== 'POST') return false;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    const place = { service: new URL(service.url), allowHttp: false, clock: systemClock, fetch };
    expect(await createRenewal(place)(signIn)).toMatchObject({ kind });
  });

  test.each([
    ['as before where the server names none', {}, 'notes notes:write'],
    ['what the server names', { scope: 'notes' }, 'notes'],
  ])('has after its renewal the scope that was granted: %s', async (_what, named, scope) => {
    const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
    const { signIn } = await signInAs(await flowParts(service.url));
    authorization.intercept = (request, response) => {
      if (request.method !== 'POST') return false;
      const tokens = { access_token: 'a', token_type: 'Bearer', ...named };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens));
      return true;
    };
    const renewed = valueOf(await refreshed({ ...signIn, scope: 'notes notes:write' }, service.url));
    expect(renewed.access.scope).toBe(scope);
  });

  test('is shown to its own issuer only', async () => {
    const { service } = await useProtectedService({ autoApprove: 'ada' });
    const other = await useProtectedService();
    const { signIn } = await signInAs(await flowParts(service.url));
    const { metadata } = await discovered(other.service.url);
    const outcome = await refresh(signIn, { ...around(service.url), clock: systemClock, metadata });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'ERR_AUTH_UNSAFE' });
    expect(other.authorization.counts.refusedRefreshes).toBe(0);
  });

  test('that cannot be renewed lasts as long as its token', async () => {
    const { service } = await useProtectedService();
    const expiresAt = Date.now() + 60_000;
    const signIn: OAuthSignIn = {
      kind: 'oauth',
      issuer: 'https://nobody.example',
      clientId: 'x',
      access: { token: 'abc', expiresAt },
      grant: 'authorization_code',
    };
    expect(valueOf(await refreshed(signIn, service.url)).access).toEqual({ token: 'abc', expiresAt });
    const scoped = await refreshed({ ...signIn, scope: 'notes' }, service.url);
    expect(valueOf(scoped).access.scope).toBe('notes');
    const over = { ...signIn, access: { token: 'abc', expiresAt: Date.now() - 1 } };
    expect(await refreshed(over, service.url)).toMatchObject({ code: 'ERR_AUTH_REVOKED' });
  });

  test('AU6 is ended at the server that offers it', async () => {
    const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
    const { signIn } = await signInAs(await flowParts(service.url));
    expect(await revoke(signIn, around(service.url))).toEqual({ kind: 'revoked' });
    expect(authorization.counts.revocations).toBe(1);
    expect(await refreshed(signIn, service.url)).toMatchObject({ code: 'ERR_AUTH_REVOKED' });
    await authorization.goAway();
    expect(await revoke(signIn, around(service.url))).toMatchObject({ kind: 'failed' });
  });
});

test('AU1 signs in on another device, by a code that a person types in there', async () => {
  const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
  const { rules } = around(service.url);
  const parts = await flowParts(service.url, {
    clock: { ...systemClock, after: (ms, done) => systemClock.after(Math.min(ms, 50), done) },
  });
  let visit: Promise<{ text: string }> | undefined;
  const { signIn, access } = await signInByDevice(parts, {
    rules,
    show: ({ url, completeUrl, userCode, minutes }) => {
      expect([url.origin, minutes, userCode.length > 5]).toEqual([authorization.issuer, 5, true]);
      visit = browse(completeUrl?.href ?? '');
    },
  });
  expect((await visit)?.text).toContain('Signed in');
  expect(signIn).toMatchObject({ grant: 'device_code', refreshToken: expect.any(String) });
  expect(authorization.verify(access.token, service.url)).toMatchObject({ sub: 'ada' });
  expect(valueOf(await refreshed(signIn, service.url)).access.token).not.toBe(access.token);
});

describe('AU1 without a person', () => {
  const base = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'], scope: 'notes' };

  test('signs in by a secret, and again when the token is over', async () => {
    const secret = 'a-secret-that-is-long-enough-for-anyone';
    const client = {
      ...base,
      client_id: 'robot',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post',
    };
    const { service, authorization } = await useProtectedService({ clients: [client] });
    const proof = { clientId: 'robot', clientSecret: secret, clientAuthMethod: 'client_secret_post' };
    const parts = await flowParts(service.url, { scope: 'notes' });
    const { signIn, access } = await signInByCredentials(parts, proof);
    expect(authorization.verify(access.token, service.url)).toMatchObject({ scope: 'notes' });
    expect(signIn).not.toHaveProperty('access');
    expect(valueOf(await refreshed(signIn, service.url)).access.token).not.toBe(access.token);
    const wrong = { ...signIn, clientSecret: 'another-secret-of-the-same-length-as-that' };
    expect(await refreshed(wrong, service.url)).toMatchObject({ code: 'ERR_AUTH_REVOKED' });
  });

  test.each(['P-256', 'RSA'])('signs in by a private key (%s)', async (kind) => {
    const { privateKey, publicKey } =
      kind === 'RSA'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind });
    const client = {
      ...base,
      client_id: 'robot',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    };
    const { service, authorization } = await useProtectedService({ clients: [client] });
    const key = readClientKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const proof = { clientId: 'robot', clientAuthMethod: 'private_key_jwt', ...key };
    const { signIn, access } = await signInByCredentials(
      await flowParts(service.url, { scope: 'notes' }),
      proof,
    );
    expect(authorization.verify(access.token, service.url)).toBeDefined();
    expect(Buffer.byteLength(JSON.stringify(signIn))).toBeLessThan(2560);
    expect(valueOf(await refreshed(signIn, service.url)).access.token).not.toBe(access.token);
  });

  test.each([
    ['nothing', ''],
    [
      'a public key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
    ],
    ['another kind', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
  ])('refuses %s as a private key', (_what, pem) => {
    expect(() => readClientKey(pem)).toThrow('The private key cannot be used');
  });
});
