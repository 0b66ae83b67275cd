// The demo's authorisation server and the service behind it, asked by the SDK's own client functions.
import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  exchangeAuthorization,
  refreshAuthorization,
  registerClient,
  startAuthorization,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { useProtectedService, type ProtectedService } from '../support/protected-service.ts';
import { browse } from '../support/sign-in-browser.ts';

const redirectUrl = 'http://127.0.0.1:1/callback';

async function signIn({ authorization, service }: ProtectedService) {
  const { scopes_supported: scopes, ...resource } = await discoverOAuthProtectedResourceMetadata(service.url);
  expect(resource).toMatchObject({ resource: service.url, authorization_servers: [authorization.issuer] });
  const metadata = await discoverAuthorizationServerMetadata(authorization.issuer);
  if (metadata === undefined) throw new Error('no metadata');
  const clientInformation = await registerClient(authorization.issuer, {
    metadata,
    clientMetadata: {
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      client_name: 'Test <b>client</b>',
    } as never,
  });
  const asked = { metadata, clientInformation, resource: new URL(service.url) };
  const scope = scopes?.join(' ') ?? '';
  const start = { ...asked, redirectUrl, scope, state: 'mine' };
  const { authorizationUrl, codeVerifier } = await startAuthorization(authorization.issuer, start);
  const { url } = await browse(authorizationUrl.href, {}, (at) => at.href.startsWith(redirectUrl));
  expect(Object.fromEntries(url.searchParams)).toMatchObject({ state: 'mine', iss: authorization.issuer });
  const tokens = await exchangeAuthorization(authorization.issuer, {
    ...asked,
    authorizationCode: url.searchParams.get('code') ?? '',
    codeVerifier,
    redirectUri: redirectUrl,
  });
  return {
    tokens,
    refresh: (refreshToken: string) => refreshAuthorization(authorization.issuer, { ...asked, refreshToken }),
  };
}

async function callWith(url: string, token: string): Promise<string[]> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

test('lets a registered client in by a code, and its service serves the token', async () => {
  const world = await useProtectedService();
  expect((await fetch(world.service.url, { method: 'POST' })).headers.get('www-authenticate')).toContain(
    'resource_metadata="http://127.0.0.1',
  );
  const { tokens } = await signIn(world);
  expect(tokens).toMatchObject({ expires_in: 600, scope: 'notes', refresh_token: expect.any(String) });
  expect(await callWith(world.service.url, tokens.access_token)).toContain('add_note');
  expect(world.authorization.verify(tokens.access_token, 'http://other.example')).toBeUndefined();
  expect(world.authorization.verify(`${tokens.access_token}x`, world.service.url)).toBeUndefined();
  expect(world.authorization.counts).toMatchObject({ registered: 1, signIns: 1, refreshes: 0 });
});

test('gives a new refresh token for each, and ends the family when an old one comes again', async () => {
  const world = await useProtectedService({ autoApprove: 'ada', accessTokenSeconds: 5 });
  const { tokens, refresh } = await signIn(world);
  expect(tokens.expires_in).toBe(5);
  const second = await refresh(tokens.refresh_token ?? '');
  expect(second.refresh_token).not.toBe(tokens.refresh_token);
  await expect(refresh(tokens.refresh_token ?? '')).rejects.toThrow();
  await expect(refresh(second.refresh_token ?? '')).rejects.toThrow();
  expect(world.authorization.counts).toMatchObject({ refreshes: 1, refusedRefreshes: 2 });
});

test('ends every grant on request, and keeps them while it is away', async () => {
  const world = await useProtectedService({ autoApprove: 'ada' });
  const { tokens, refresh } = await signIn(world);
  await world.authorization.goAway();
  await expect(refresh(tokens.refresh_token ?? '')).rejects.toThrow();
  await world.authorization.comeBack();
  const second = await refresh(tokens.refresh_token ?? '');
  world.authorization.revokeAll();
  await expect(refresh(second.refresh_token ?? '')).rejects.toThrow();
});

test('takes a no for a no, and shows a name without running it', async () => {
  const world = await useProtectedService();
  const metadata = await discoverAuthorizationServerMetadata(world.authorization.issuer);
  if (metadata === undefined) throw new Error('no metadata');
  const clientInformation = await registerClient(world.authorization.issuer, {
    metadata,
    clientMetadata: {
      redirect_uris: [redirectUrl],
      client_name: '<script>alert(1)</script>',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    } as never,
  });
  const { authorizationUrl } = await startAuthorization(world.authorization.issuer, {
    metadata,
    clientInformation,
    redirectUrl,
    scope: 'notes',
    resource: new URL(world.service.url),
  });
  const { url } = await browse(authorizationUrl.href, { answer: 'deny' }, (at) =>
    at.href.startsWith(redirectUrl),
  );
  expect(url.searchParams.get('error')).toBe('access_denied');
  const cookieless = await fetch(authorizationUrl, { redirect: 'manual' });
  const page = new URL(cookieless.headers.get('location') ?? '', authorizationUrl);
  const cookie = cookieless.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  expect(await (await fetch(page, { headers: { cookie } })).text()).toContain('&#60;script&#62;alert(1)');
});
