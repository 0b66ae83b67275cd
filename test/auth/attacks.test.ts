// What somebody may try who is not the person that signs in, or is a service or server that means harm: each is refused, in time, and
// nothing leaks. docs/security.md says who can try what.
import { request, type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { discover } from '../../src/auth/discovery.ts';
import { refresh } from '../../src/auth/refresh.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { useHttpServer } from '../support/http-server.ts';
import { useProtectedService, type ProtectedService } from '../support/protected-service.ts';
import { browse } from '../support/sign-in-browser.ts';
import { around, discovered, flowParts, signInAs } from './signing-in.ts';

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** The callback of a sign-in that is under way, and how the sign-in ends. */
async function begin(
  world: ProtectedService,
): Promise<{ url: URL; callback: URL; ended: ReturnType<typeof signInAs> }> {
  const shown = Promise.withResolvers<URL>();
  const ended = signInAs(await flowParts(world.service.url), (url) => shown.resolve(url));
  ended.catch(() => {});
  const url = await shown.promise;
  return { url, callback: new URL(url.searchParams.get('redirect_uri') ?? ''), ended };
}

/** As `fetch`, but with a Host of one's own. */
function getAs(host: string, url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject).end();
  });
}

const expectRefused = (attempt: Promise<unknown>, code: string): Promise<void> =>
  expect(attempt).rejects.toMatchObject({ code });

describe('SC3 AU1 a page in the browser, or a program on this machine, that speaks to the callback', () => {
  test.each([
    ['a state that it guesses', (callback: URL) => `${callback.href}?code=injected&state=${'A'.repeat(43)}`],
    ['no state', (callback: URL) => `${callback.href}?code=injected`],
    ['an error of its own', (callback: URL) => `${callback.href}?error=access_denied&state=x`],
    ['another path', (callback: URL) => new URL('/', callback).href],
  ])('with %s changes nothing: the sign-in goes on', async (_what, forge) => {
    const world = await useProtectedService();
    const { url, callback, ended } = await begin(world);
    const injected = await fetch(forge(callback));
    expect(injected.status).toBeGreaterThanOrEqual(400);
    expect(await injected.text()).not.toContain('injected');
    await browse(url.href);
    const { access } = await ended;
    expect(world.authorization.verify(access.token, world.service.url)).toMatchObject({ sub: 'ada' });
    // The address is gone with its one use.
    await expect(fetch(callback)).rejects.toThrow('fetch failed');
  });

  test('under a name of its own (DNS rebinding) is turned away, whatever it knows', async () => {
    const world = await useProtectedService();
    const { url, callback, ended } = await begin(world);
    const state = url.searchParams.get('state') ?? '';
    const known = new URL(`${callback.href}?code=injected&state=${state}`);
    for (const host of [
      'evil.example',
      `localhost:${callback.port}`,
      `127.0.0.1.evil.example:${callback.port}`,
    ])
      expect(await getAs(host, known)).toBe(403);
    await browse(url.href);
    expect((await ended).signIn.kind).toBe('oauth');
  });

  test('with a code of another sign-in gets nothing for it: the verifier is not of that one', async () => {
    const world = await useProtectedService({ autoApprove: 'mallory' });
    const other = await begin(world);
    const { url } = await browse(other.url.href, {}, (at) => at.href.startsWith(other.callback.href));
    const stolen = url.searchParams.get('code') ?? '';
    const { url: own, callback, ended } = await begin(world);
    const params = new URLSearchParams({
      code: stolen,
      state: own.searchParams.get('state') ?? '',
      iss: world.authorization.issuer,
    });
    const [page] = await Promise.all([
      fetch(`${callback.href}?${params.toString()}`),
      expectRefused(ended, 'ERR_AUTH_REVOKED'),
    ]);
    expect(page.status).toBe(400);
    expect(world.authorization.counts.signIns).toBe(0);
  });
});

describe('AU1 SC1 an answer in the name of another server (mix-up)', () => {
  test.each([
    ['another iss', 'https://evil.example'],
    ['none, though it is promised', undefined],
  ])('%s: no code is sent anywhere', async (_what, iss) => {
    const world = await useProtectedService();
    const { url, callback, ended } = await begin(world);
    const params = new URLSearchParams({ code: 'c', state: url.searchParams.get('state') ?? '' });
    if (iss !== undefined) params.set('iss', iss);
    const asked: string[] = [];
    world.authorization.intercept = (each) => {
      asked.push(each.url ?? '');
      return false;
    };
    const [page] = await Promise.all([
      fetch(`${callback.href}?${params.toString()}`),
      expectRefused(ended, 'ERR_AUTH_UNSAFE'),
    ]);
    expect(await page.text()).toContain('You are not signed in');
    expect(asked).toEqual([]);
  });
});

describe('SC1 SC2 documents that point elsewhere', () => {
  test.each([
    ['authorization_endpoint', 'file:///etc/passwd'],
    ['authorization_endpoint', 'javascript:alert(1)'],
    ['authorization_endpoint', 'http://evil.example/authorize'],
    ['authorization_endpoint', 'ms-msdt:/id'],
    ['token_endpoint', 'http://evil.example/token'],
    ['token_endpoint', 'https://user:secret@evil.example/token'],
    ['registration_endpoint', 'file:///etc/passwd'],
    ['revocation_endpoint', 'gopher://evil.example'],
  ])('%s %s: nothing is asked, nothing is opened', async (name, target) => {
    const { service, authorization } = await useProtectedService();
    authorization.intercept = (asked, response) => {
      if (asked.url?.includes('/.well-known/') !== true) return false;
      const at = (path: string): string => `${authorization.issuer}${path}`;
      const document = {
        issuer: authorization.issuer,
        authorization_endpoint: at('/auth'),
        token_endpoint: at('/token'),
        registration_endpoint: at('/reg'),
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      };
      json(response, { ...document, [name]: target });
      return true;
    };
    await expectRefused(discovered(service.url), 'ERR_AUTH_UNSAFE');
    expect(authorization.counts.registered).toBe(0);
  });

  test.each([
    ['resource_metadata', 'file:///etc/passwd'],
    ['resource_metadata', 'http://169.254.169.254/latest/meta-data'],
    ['authorization_servers', 'file:///etc/passwd'],
    ['authorization_servers', 'http://evil.example'],
    ['resource', 'https://another.example/mcp'],
  ])("the service's %s %s", async (name, target) => {
    const { origin } = await useHttpServer((asked, response) => {
      if (asked.url?.startsWith('/.well-known/oauth-protected-resource') === true) {
        const document = { resource: `${origin}/mcp`, authorization_servers: [origin] };
        json(response, { ...document, [name]: name === 'authorization_servers' ? [target] : target });
        return;
      }
      const where = name === 'resource_metadata' ? ` resource_metadata="${target}"` : '';
      response.writeHead(401, { 'www-authenticate': `Bearer${where}` }).end();
    });
    await expectRefused(discovered(`${origin}/mcp`), 'ERR_AUTH_UNSAFE');
  });

  test('a redirect of a document to another origin is not followed', async () => {
    const other = await useHttpServer((_asked, response) => json(response, {}));
    const { origin } = await useHttpServer((asked, response) => {
      if (asked.method === 'GET') response.writeHead(302, { location: `${other.origin}/x` }).end();
      else response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    });
    // Without a document the service's own origin signs people in (2025-03-26).
    expect((await discovered(`${origin}/mcp`)).metadata.token_endpoint).toBe(`${origin}/token`);
    expect(other.requests).toEqual([]);
  });
});

describe('SC4 answers without measure', () => {
  /** Goes on until nobody listens; tells how many bytes were taken. */
  function flood(response: ServerResponse, type: string): () => number {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024, ' ');
    response.writeHead(200, { 'content-type': type });
    const pour = (): void => {
      while (!response.destroyed && sent < 1024 ** 3) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', pour);
          return;
        }
      }
      response.end();
    };
    pour();
    return () => sent;
  }

  test('a document of 1 GB is dropped after the first MiB', async () => {
    let sent = (): number => 0;
    const { origin } = await useHttpServer((asked, response) => {
      if (asked.method === 'POST') response.writeHead(401).end();
      else sent = flood(response, 'application/json');
    });
    const before = process.memoryUsage().rss;
    await expectRefused(discovered(`${origin}/mcp`), 'ERR_AUTH_BAD_ANSWER');
    expect(sent()).toBeLessThan(32 * 1024 ** 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 ** 2);
  });

  test('a document that never ends is given up in time', async () => {
    const { origin } = await useHttpServer((asked, response) => {
      if (asked.method === 'POST') response.writeHead(401).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    const hasty = {
      ...systemClock,
      after: (ms: number, done: () => void) => systemClock.after(ms / 50, done),
    };
    const { createGuardedFetch } = await import('../../src/auth/guarded-fetch.ts');
    const place = around(`${origin}/mcp`);
    const fetch = createGuardedFetch({ rules: place.rules, clock: hasty });
    await expectRefused(discover(place.service, {}, { ...place, fetch }), 'ERR_AUTH_UNREACHABLE');
  });

  test.each([
    ['of 15 KB', 15_000, 'found'],
    ['of 1 MB', 1_000_000, 'refused'],
  ])('a WWW-Authenticate %s', async (_what, length, outcome) => {
    const { origin } = await useHttpServer((asked, response) => {
      const bomb = 'Bearer a="\\"", '.repeat(length / 15);
      if (asked.method === 'POST') response.writeHead(401, { 'www-authenticate': bomb }).end();
      else response.writeHead(404).end();
    });
    const startedAt = performance.now();
    const told = await discovered(`${origin}/mcp`).then(
      () => 'found',
      (error: { code: string }) => (error.code === 'ERR_AUTH_BAD_ANSWER' ? 'refused' : error.code),
    );
    expect(told).toBe(outcome);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

describe('AU4 BR12 a token endpoint that answers', () => {
  test.each([
    ['a web page', 200, 'text/html', '<html>Welcome to the hotel</html>', 'ERR_AUTH_BAD_ANSWER'],
    ['a web page with an error', 403, 'text/html', '<html>Blocked</html>', 'ERR_AUTH_BAD_ANSWER'],
    ['JSON without a token', 200, 'application/json', '{"token_type":"bearer"}', 'ERR_AUTH_BAD_ANSWER'],
    [
      'a token that would break a header',
      200,
      'application/json',
      '{"token_type":"bearer","access_token":"a\\r\\nx: y"}',
      'ERR_AUTH_BAD_ANSWER',
    ],
    [
      'a token of another type',
      200,
      'application/json',
      '{"token_type":"mac","access_token":"a"}',
      'ERR_AUTH_BAD_ANSWER',
    ],
    ['a redirect to elsewhere', 307, 'text/html', '', 'ERR_AUTH_BAD_ANSWER'],
  ])('%s is understood as that, and the sign-in is kept', async (_what, status, type, body, code) => {
    const { service, authorization } = await useProtectedService({ autoApprove: 'ada' });
    const other = await useHttpServer((_asked, response) => json(response, {}));
    const { signIn } = await signInAs(await flowParts(service.url));
    authorization.intercept = (asked, response) => {
      if (asked.method !== 'POST') return false;
      response.writeHead(status, { 'content-type': type, location: `${other.origin}/token` }).end(body);
      return true;
    };
    const again = (): ReturnType<typeof refresh> =>
      refresh(signIn, { ...around(service.url), clock: systemClock });
    expect(await again()).toMatchObject({ kind: 'failed', code });
    expect(other.requests).toEqual([]);
    authorization.intercept = undefined;
    expect(await again()).toMatchObject({ kind: 'ok' });
  });
});
