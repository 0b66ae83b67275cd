// Which services may be talked to, and what may be told to them.
import { describe, expect, test } from 'vitest';
import { isThisMachine } from '../../src/platform/network/network.ts';
import { refusal, resolve } from './resolving.ts';

describe('SC1 http://', () => {
  test.each([
    'http://service.example/mcp',
    'HTTP://service.example/mcp',
    'http://192.168.1.10/mcp',
    'http://10.0.0.1:8080/',
    'http://0.0.0.0:8080/mcp',
    'http://127.0.0.1.service.example/mcp',
    'http://localhost.service.example/mcp',
    'http://notlocalhost/mcp',
    'http://128.0.0.1/mcp',
    'http://[::2]/mcp',
    'http://[::ffff:10.0.0.1]/mcp',
  ])('%s is refused, and the message names the flag', (target) => {
    const message = refusal({ target });
    expect(message).toContain('not encrypted');
    expect(message).toContain('--allow-http');
  });

  test.each([
    'http://localhost/mcp',
    'http://LOCALHOST:3000/mcp',
    'http://mcp.localhost:3000/mcp',
    'http://127.0.0.1:3000/mcp',
    'http://127.8.9.10/mcp',
    'http://127.1/mcp',
    'http://0x7f000001/mcp',
    'http://2130706433/mcp',
    'http://[::1]:3000/mcp',
    'http://[0:0:0:0:0:0:0:1]/mcp',
  ])('%s is this machine, and needs no flag', (target) => {
    expect(resolve({ target }).profile.url.href).toBe(new URL(target).href);
  });

  test.each([
    ['flag', { flags: { 'allow-http': true } }],
    ['variable', { env: { MCP_BRIDGE_ALLOW_HTTP: 'true' } }],
    ['config file', { file: { allowHttp: true } }],
  ])('to another machine works where a %s allows it', (_where, given) => {
    expect(resolve({ target: 'http://service.example/mcp', ...given }).profile.url.protocol).toBe('http:');
  });

  test.each([
    ['flag', { flags: { 'allow-http': 'false' }, env: { MCP_BRIDGE_ALLOW_HTTP: 'true' } }],
    ['variable', { env: { MCP_BRIDGE_ALLOW_HTTP: '0' }, file: { allowHttp: true } }],
  ])('is refused where a %s forbids what lies below it allows', (_where, given) => {
    expect(refusal({ target: 'http://service.example/mcp', ...given })).toContain('--allow-http');
  });

  test('is not allowed by a variable that is set to nothing', () => {
    const env = { MCP_BRIDGE_ALLOW_HTTP: '' };
    expect(refusal({ target: 'http://service.example/mcp', env })).toMatch(/ALLOW_HTTP|--allow-http/);
  });

  test('of a profile is held to the same rule', () => {
    const file = { profiles: { work: { url: 'http://service.example/mcp' } } };
    expect(refusal({ target: 'work', file })).toContain('--allow-http');
    const allowed = { profiles: { work: { url: 'http://service.example/mcp', allowHttp: true } } };
    expect(resolve({ target: 'work', file: allowed }).profile.url.protocol).toBe('http:');
  });

  test.each([
    ['localhost', true],
    ['a.localhost', true],
    ['localhost.', false],
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['127.0.0.1.example', false],
    ['[::1]', true],
    ['[::]', false],
    ['', false],
  ])('the host "%s" is this machine: %s', (host, expected) => {
    expect(isThisMachine(host)).toBe(expected);
  });
});

describe('SC1 a URL', () => {
  test.each([
    'ftp://service.example',
    'file:///etc/passwd',
    'ws://127.0.0.1/mcp',
    'javascript://x/%0aalert(1)',
  ])('of another kind is refused: %s', (target) => {
    expect(refusal({ target, flags: { 'allow-http': true } })).toContain('only https://');
  });

  test.each([
    'https://user:pass@service.example/mcp',
    'https://user@service.example/mcp',
    'https://:pass@a.example/',
  ])('with a user name or password is refused, and they are not repeated: %s', (target) => {
    const message = refusal({ target });
    expect(message).toContain('--header');
    expect(message).not.toMatch(/pass@|user[:@]/);
  });

  test.each(['https://', 'https://[::1/mcp', 'http://exa mple/'])('that is none is refused: %s', (target) => {
    expect(refusal({ target })).toContain('is not a URL');
  });

  test('keeps its path and query, and loses its fragment, which is for readers', () => {
    expect(resolve({ target: 'https://a.example/x/../mcp?a=1&b=%20#part' }).profile.url.href).toBe(
      'https://a.example/mcp?a=1&b=%20',
    );
  });
});

describe('SC1 a header', () => {
  test('takes its value from a variable, under its name in lower case', () => {
    const { profile } = resolve({
      headers: ['Authorization=env:TOKEN', 'X-Team=env:TEAM'],
      env: { TOKEN: 'Bearer a=b', TEAM: 'é' },
    });
    expect(profile.headers).toEqual({ authorization: 'Bearer a=b', 'x-team': 'é' });
  });

  test('given at launch goes before that of the profile, whatever the case of its letters', () => {
    const file = {
      profiles: { work: { url: 'https://a.example', headers: { 'X-Key': 'env:OLD', 'X-Other': 'env:OLD' } } },
    };
    const env = { OLD: 'old', NEW: 'new' };
    expect(resolve({ target: 'work', file, env, headers: ['x-KEY=env:NEW'] }).profile.headers).toEqual({
      'x-key': 'new',
      'x-other': 'old',
    });
  });

  test.each([
    'Authorization=Bearer secret-token',
    'Authorization: Bearer secret-token',
    'Authorization',
    'Authorization=secret-token=env:TOKEN',
    '=env:TOKEN',
    'Authorization=env:',
  ])('given in another way is refused, and its value is not repeated: %s', (header) => {
    const message = refusal({ headers: [header], env: { TOKEN: 't' } });
    expect(message).toContain('NAME=env:VARIABLE');
    expect(message).not.toContain('secret-token');
  });

  test('is refused where its variable is not set', () => {
    expect(refusal({ headers: ['X-Key=env:KEY'] })).toMatch(/"x-key".*KEY.*not set/);
  });

  test.each(['accept', 'Content-Type', 'HOST', 'mcp-session-id', 'Mcp-Protocol-Version', 'last-event-id'])(
    'that the bridge sets itself is refused: %s',
    (name) => {
      expect(refusal({ headers: [`${name}=env:KEY`], env: { KEY: 'k' } })).toMatch(/set by the bridge/);
    },
  );

  test.each(['a b', 'naïve', 'x:y', '"x"'])('whose name HTTP does not allow is refused: %s', (name) => {
    expect(refusal({ headers: [`${name}=env:KEY`], env: { KEY: 'k' } })).toContain('not a valid header name');
  });

  test.each([
    ['a line break', 'a\r\nx-injected: 1'],
    ['a NUL', 'a\u0000'],
    ['a DEL', 'a\u007f'],
    ['what Latin-1 lacks', '€'],
  ])('whose value holds %s is refused, and its value is not repeated', (_what, value) => {
    const message = refusal({ headers: ['X-Key=env:KEY'], env: { KEY: `secret-${value}` } });
    expect(message).toContain('KEY');
    expect(message).not.toContain('secret-');
  });
});
