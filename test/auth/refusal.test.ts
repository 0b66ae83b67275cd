// What an authorization server's no comes to. Pure.
import { describe, expect, test } from 'vitest';
import { asAuthError, isFinal, Refusal } from '../../src/auth/refusal.ts';

test.each([
  ['invalid_grant', 'ERR_AUTH_REVOKED'],
  ['invalid_client', 'ERR_AUTH_REVOKED'],
  ['temporarily_unavailable', 'ERR_AUTH_UNREACHABLE'],
  ['invalid_target', 'ERR_AUTH_REFUSED'],
])('AU4 takes %s for %s', (error, code) => {
  expect(asAuthError(new Refusal(error, 'why', 'a.example', 400))).toMatchObject({
    code,
    message: `a.example refuses the sign-in (${error}: why).`,
  });
});

test.each([
  [429, 'invalid_grant', 'ERR_AUTH_UNREACHABLE', 'a.example answers with HTTP 429 (invalid_grant).'],
  [408, 'timeout', 'ERR_AUTH_UNREACHABLE', 'a.example answers with HTTP 408 (timeout).'],
  [404, 'Not Found', 'ERR_AUTH_REFUSED', 'a.example refuses the sign-in (Not Found).'],
])('AU1 says of HTTP %i with %s what it is', (status, error, code, message) => {
  expect(asAuthError(new Refusal(error, '', 'a.example', status))).toMatchObject({ code, message });
});

describe('AU4 whether a renewal that is refused would be ever after:', () => {
  test.each([
    [400, 'invalid_request', true],
    [400, 'invalid_client', true],
    [401, 'invalid_client', true],
    [400, 'invalid_grant', true],
    [403, 'invalid_grant', true],
    [400, 'unauthorized_client', true],
    [400, 'unsupported_grant_type', true],
    [400, 'invalid_scope', true],
    [400, 'invalid_target', true],
    [403, 'access_denied', true],
    [429, 'invalid_grant', false],
    [429, 'too_many_requests', false],
    [408, 'timeout', false],
    [404, 'invalid_grant', false],
    [404, 'Not Found', false],
    [403, 'Forbidden', false],
    [400, 'slow_down', false],
    [400, 'temporarily_unavailable', false],
    [400, 'server_error', false],
  ])('HTTP %i %s: %s', (status, error, expected) => {
    expect(isFinal(new Refusal(error, '', 'a.example', status))).toBe(expected);
  });
});
