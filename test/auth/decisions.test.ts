// The pure decisions of signing in, a table each.
import { describe, expect, test } from 'vitest';
import { browserUrl } from '../../src/auth/browser.ts';
import { judgeCallback } from '../../src/auth/callback.ts';
import { parseChallenge } from '../../src/auth/challenge.ts';
import { planIdentity } from '../../src/auth/client-identity.ts';
import { judgePoll, readStart } from '../../src/auth/device-code.ts';
import { resourceMetadataUrls } from '../../src/auth/discovery.ts';
import { AuthError } from '../../src/auth/auth-error.ts';
import { Refusal } from '../../src/auth/refusal.ts';
import { escaped } from '../../src/auth/result-page.ts';
import { checkUrl, rulesFor } from '../../src/auth/safe-url.ts';
import { hasScreen } from '../../src/auth/screen.ts';
import { chooseScope, stepUpScope } from '../../src/auth/scopes.ts';
import { checkMetadata, defaultMetadata, isSameIssuer, requirePkce } from '../../src/auth/server-metadata.ts';
import { fairMs } from '../support/fair-time.ts';

const rules = rulesFor(new URL('https://service.example/mcp'), false);
const local = rulesFor(new URL('http://127.0.0.1:8080/mcp'), false);

/** What it returns, or the code of the error that it throws. */
function resultOf(decide: () => unknown): unknown {
  try {
    return decide();
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

describe('AU1 reads a challenge', () => {
  test.each([
    ['', {}],
    ['Basic realm="x"', {}],
    ['Bearer', {}],
    ['Bearer scope="a  b"', { scope: 'a b' }],
    ['bearer Scope=a, error=invalid_token', { scope: 'a', error: 'invalid_token' }],
    [
      'Basic realm="Bearer scope=\\"x\\"", Bearer resource_metadata="https://a.example/m?x=1,2", scope="s"',
      { resourceMetadata: 'https://a.example/m?x=1,2', scope: 's' },
    ],
    ['Bearer x_scope="no", scope="yes"', { scope: 'yes' }],
    ['Bearer scope="first", scope="second"', { scope: 'first' }],
    ['Bearer scope="a", Basic scope="b"', { scope: 'a' }],
    [String.raw`Bearer scope="say \"hi\""`, { scope: 'say "hi"' }],
    ['Bearer resource_metadata="unclosed', { resourceMetadata: '' }],
  ])('%s', (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });

  test.each(['"', '"\\', 'Bearer ', 'a="', 'a=,', '\\"', ' , '])(
    'of 1 MB of %j without much ado',
    (piece) => {
      const header = `Bearer ${piece.repeat(1_000_000 / piece.length)}`;
      const startedAt = performance.now();
      parseChallenge(header);
      expect(fairMs(startedAt)).toBeLessThan(500);
    },
  );
});

describe('AU1 looks for the document of the service', () => {
  const root = 'https://s.example/.well-known/oauth-protected-resource';
  test.each([
    ['https://s.example/mcp', {}, [`${root}/mcp`, root]],
    ['https://s.example/', {}, [root]],
    ['https://s.example/a/b/?x=1', {}, [`${root}/a/b?x=1`, root]],
    [
      'https://s.example/mcp',
      { resourceMetadata: 'https://m.example/x' },
      ['https://m.example/x', `${root}/mcp`, root],
    ],
    ['https://s.example/mcp', { resourceMetadata: root }, [root, `${root}/mcp`]],
  ])('of %s, with %j', (service, challenge, expected) => {
    expect(resourceMetadataUrls(new URL(service), challenge)).toEqual(expected);
  });
});

describe('SC1 takes no address but', () => {
  test.each([
    ['https://a.example/x', rules, true],
    ['http://a.example/x', rules, false],
    ['http://a.example/x', rulesFor(new URL('https://s.example'), true), true],
    ['http://127.0.0.1:1/x', local, true],
    ['http://localhost:1/x', local, true],
    ['http://a.example/x', local, false],
    ['https://127.0.0.1/x', rules, false],
    ['https://localhost/x', rules, false],
    ['https://[::1]/x', rules, false],
    ['file:///etc/passwd', local, false],
    ['javascript:alert(1)', local, false],
    ['data:text/html,x', local, false],
    ['https://user:secret@a.example/', rules, false],
    ['nothing', rules, false],
    [`https://a.example/${'x'.repeat(5000)}`, rules, false],
  ])('%s', (text, given, isGood) => {
    expect(resultOf(() => checkUrl(text, 'it', given).href)).toBe(isGood ? text : 'ERR_AUTH_UNSAFE');
  });
});

describe('AU1 chooses scopes', () => {
  test.each([
    [{}, undefined],
    [{ challenge: 'a b', resource: ['c'] }, 'a b'],
    [{ resource: ['c', 'd', 'c'] }, 'c d'],
    [{ resource: ['c'], server: ['c', 'offline_access'] }, 'c offline_access'],
    [{ server: ['x', 'offline_access'] }, undefined],
    [{ wanted: 'w', challenge: 'a', server: ['offline_access'] }, 'w'],
    [{ challenge: 'good b\u0007ad "no"' }, 'good'],
    [
      { resource: Array.from({ length: 500 }, (_each, n) => `s${n}`) },
      expect.stringMatching(/^s0( s\d+){63}$/),
    ],
  ])('from %j', (sources, expected) => {
    expect(chooseScope(sources)).toEqual(expected);
  });

  test.each([
    ['a b', 'b c', 'a b c'],
    [undefined, 'c', 'c'],
    ['a', 'a', undefined],
    ['a', undefined, undefined],
    ['a', Array.from({ length: 64 }, (_each, n) => `s${n}`).join(' '), undefined],
  ])('for a step up from %s by %s', (granted, needed, expected) => {
    expect(stepUpScope(granted, needed)).toBe(expected);
  });
});

describe('AU1 refuses a server that does not show that it does PKCE with S256:', () => {
  const good = defaultMetadata('https://a.example');
  test.each([[['S256']], [['plain', 'S256']]])('not %j', (methods) => {
    expect(() => requirePkce({ ...good, code_challenge_methods_supported: methods })).not.toThrow();
  });
  test.each([[[]], [['plain']], [['s256']], [undefined]])('%j', (methods) => {
    const { code_challenge_methods_supported: _dropped, ...rest } = good;
    const metadata = { ...rest, ...(methods !== undefined && { code_challenge_methods_supported: methods }) };
    expect(() => requirePkce(metadata)).toThrow(expect.objectContaining({ code: 'ERR_AUTH_UNSAFE' }));
  });
});

describe('AU1 holds a document to its name, and its addresses to the rules:', () => {
  const document = { ...defaultMetadata('https://a.example') };
  test.each([
    ['as it should be', {}, undefined],
    ['with a slash more', { issuer: 'https://a.example/' }, undefined],
    ["another's name", { issuer: 'https://b.example' }, 'ERR_AUTH_UNSAFE'],
    ['a token endpoint in the clear', { token_endpoint: 'http://a.example/t' }, 'ERR_AUTH_UNSAFE'],
    ['an endpoint on this machine', { token_endpoint: 'https://127.0.0.1/t' }, 'ERR_AUTH_UNSAFE'],
    ['a script', { authorization_endpoint: 'javascript:alert(1)' }, 'ERR_AUTH_UNSAFE'],
    ['a file', { authorization_endpoint: 'file:///bin/sh' }, 'ERR_AUTH_UNSAFE'],
    ['a file for registration', { registration_endpoint: 'file:///etc/passwd' }, 'ERR_AUTH_UNSAFE'],
    ['a file for devices', { device_authorization_endpoint: 'file:///x' }, 'ERR_AUTH_UNSAFE'],
    ['no token endpoint', { token_endpoint: undefined }, 'ERR_AUTH_UNSAFE'],
    ['no response types', { response_types_supported: 'code' }, 'ERR_AUTH_BAD_ANSWER'],
  ])('%s', (_what, changes, code) => {
    const check = (): unknown =>
      checkMetadata({ ...document, ...changes }, 'https://a.example', rules).token_endpoint;
    expect(resultOf(check)).toBe(code ?? 'https://a.example/token');
  });

  test.each([
    ['https://a.example/oauth', 'https://a.example/oauth'],
    ['https://b.example/oauth', 'ERR_AUTH_UNSAFE'],
    ['javascript:alert(1)', 'ERR_AUTH_UNSAFE'],
  ])('where only the origin is known (2025-03-26), %s', (issuer, expected) => {
    const check = (): unknown =>
      checkMetadata({ ...document, issuer }, 'https://a.example', rules, 'origin').issuer;
    expect(resultOf(check)).toBe(expected);
  });

  test.each([
    ['https://a.example', 'https://a.example/', true],
    ['https://A.example:443', 'https://a.example', true],
    ['https://a.example/t', 'https://a.example/T', false],
    ['https://a.example/t', 'https://a.example', false],
  ])('%s and %s', (a, b, expected) => {
    expect(isSameIssuer(a, b)).toBe(expected);
  });
});

describe('SC3 judges what comes back by the browser', () => {
  const expected = { state: 'right', issuer: 'https://a.example', issuerIsSent: true };
  const iss = 'iss=https%3A%2F%2Fa.example';
  test.each([
    [`code=c&state=right&${iss}`, 'code'],
    [`code=c&state=wrong&${iss}`, 'stranger'],
    [`code=c&state=righ&${iss}`, 'stranger'],
    [`code=c&${iss}`, 'stranger'],
    [`code=c&state=right&state=right&${iss}`, 'stranger'],
    [`code=c&code=d&state=right&${iss}`, 'stranger'],
    [`error=access_denied&state=wrong&${iss}`, 'stranger'],
    ['code=c&state=right', 'ERR_AUTH_UNSAFE'],
    ['code=c&state=right&iss=https%3A%2F%2Fevil.example', 'ERR_AUTH_UNSAFE'],
    ['error=access_denied&state=right&iss=https%3A%2F%2Fevil.example', 'ERR_AUTH_UNSAFE'],
    [`error=access_denied&state=right&${iss}`, 'ERR_AUTH_REFUSED'],
    [`error=server_error&state=right&${iss}`, 'ERR_AUTH_UNREACHABLE'],
    [`error=%1b%5b2J&state=right&${iss}`, 'ERR_AUTH_REFUSED'],
    [`state=right&${iss}`, 'ERR_AUTH_BAD_ANSWER'],
    [`code=&state=right&${iss}`, 'ERR_AUTH_BAD_ANSWER'],
  ])('%s', (query, verdict) => {
    const found = judgeCallback(new URLSearchParams(query), expected);
    expect(found.kind === 'failed' ? found.error.code : found.kind).toBe(verdict);
    expect(found.kind === 'failed' ? found.error.message : '').not.toContain('\u001b');
  });

  test('without iss where the server promises none, but never with a wrong one', () => {
    const lenient = { ...expected, issuerIsSent: false };
    const judge = (query: string) => judgeCallback(new URLSearchParams(query), lenient);
    expect(judge('code=c&state=right')).toEqual({ kind: 'code', code: 'c' });
    expect(judge('code=c&state=right&iss=https%3A%2F%2Fevil.example').kind).toBe('failed');
  });
});

describe('AU1 is to a server', () => {
  const metadata = { ...defaultMetadata('https://a.example'), client_id_metadata_document_supported: true };
  const { registration_endpoint: _none, ...closed } = metadata;
  const known = { clientId: 'k' };
  const documentUrl = 'https://me.example/client.json';
  test.each([
    ['whom it was told', { known, documentUrl }, metadata, 'known'],
    ['its document', { documentUrl }, metadata, 'document'],
    [
      'whom it registers: the document is no good',
      { documentUrl: 'http://me.example/x' },
      metadata,
      'register',
    ],
    [
      'whom it registers: documents are not taken',
      { documentUrl },
      defaultMetadata('https://a.example'),
      'register',
    ],
    ['nobody', {}, closed, 'none'],
  ])('%s', (_who, wishes, given, kind) => {
    expect(planIdentity(wishes, given).kind).toBe(kind);
  });
});

describe('AU1 on another device', () => {
  const start = { device_code: 'd', user_code: 'ABCD', verification_uri: 'https://a.example/device' };
  test('reads what the server begins with, within limits', () => {
    expect(readStart({ ...start, expires_in: 1e9, interval: 1e9 }, rules)).toMatchObject({
      userCode: 'ABCD',
      intervalMs: 60_000,
      lastsMs: 1_800_000,
    });
    expect(readStart({ ...start, user_code: 'A\u001b[2JB' }, rules).userCode).toBe('A [2JB');
  });
  test.each([
    [{ verification_uri: 'javascript:alert(1)' }, 'ERR_AUTH_UNSAFE'],
    [{ verification_uri_complete: 'file:///x' }, 'ERR_AUTH_UNSAFE'],
    [{ device_code: '' }, 'ERR_AUTH_BAD_ANSWER'],
    [{ user_code: 7 }, 'ERR_AUTH_BAD_ANSWER'],
  ])('refuses %j', (changes, code) => {
    expect(() => readStart({ ...start, ...changes }, rules)).toThrow(expect.objectContaining({ code }));
  });
  test.each([
    [new Refusal('authorization_pending', '', 'h', 400), 5000],
    [new Refusal('slow_down', '', 'h', 400), 10_000],
    [new Refusal('slow_down', '', 'h', 429), 10_000],
    [new Refusal('too_many_requests', '', 'h', 429), 10_000],
    [new AuthError('ERR_AUTH_UNREACHABLE', 'x'), 10_000],
    [new Refusal('access_denied', '', 'h', 400), 'ERR_AUTH_REFUSED'],
    [new Refusal('expired_token', '', 'h', 400), 'ERR_AUTH_ABANDONED'],
    [new Refusal('invalid_grant', '', 'h', 400), 'ERR_AUTH_REVOKED'],
    [new Error('?'), 'ERR_AUTH_BAD_ANSWER'],
  ])('after %s', (error, expected) => {
    const next = judgePoll(error, 5000);
    expect(next instanceof AuthError ? next.code : next).toBe(expected);
  });
});

describe('SC2 hands a browser nothing that means more than an address:', () => {
  test.each([
    [
      'https://a.example/?x=$(touch%20/tmp/x)`id`;reboot&calc.exe|y',
      /^https:\/\/a\.example\/\?x=%24%28touch%20\/tmp\/x%29%60id%60%3Breboot&calc\.exe%7Cy$/,
    ],
    ["https://a.example/p'ath;x?q='$x'", /^https:\/\/a\.example\/p%27ath%3Bx\?q=%27%24x%27$/],
    ['https://a.example/?q="&<>^!*\\', /^https:\/\/a\.example\/\?q=%22&%3C%3E%5E%21%2A%5C$/],
    ['http://127.0.0.1:8/auth?a=b%20c&d=e+f#g', /^http:\/\/127\.0\.0\.1:8\/auth\?a=b%20c&d=e\+f#g$/],
  ])('%s', (text, expected) => {
    const url = browserUrl(new URL(text)) ?? '';
    expect(url).toMatch(expected);
    expect(decodeURIComponent(url)).toBe(decodeURIComponent(new URL(text).href));
  });
  test.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'ms-settings:x',
    'https://u:p@a.example/',
    `https://a.example/${'x'.repeat(20_000)}`,
  ])('not %s at all', (text) => expect(browserUrl(new URL(text))).toBeUndefined());
});

test.each([
  [{ DISPLAY: ':0' }, 'linux', true],
  [{ WAYLAND_DISPLAY: 'w' }, 'linux', true],
  [{}, 'linux', false],
  [{}, 'darwin', true],
  [{ SSH_CONNECTION: 'x', DISPLAY: ':0' }, 'linux', false],
  [{ SSH_TTY: '/dev/pts/0' }, 'darwin', false],
  [{}, 'win32', true],
] as const)('knows with %j on %s whether a browser would be seen: %s', (env, platform, expected) => {
  expect(hasScreen(env, platform)).toBe(expected);
});

test('escapes all that means something in a page', () => {
  expect(escaped('<script>"a" & \'b\'`</script>')).toBe(
    '&#60;script&#62;&#34;a&#34; &#38; &#39;b&#39;&#96;&#60;/script&#62;',
  );
});
