// What settings and environment say of the network, and what is refused.
import { describe, expect, test } from 'vitest';
import { homedir } from 'node:os';
import { refusal, resolve, type Given } from './resolving.ts';

const target = 'https://service.example/mcp';
const network = (given: Given) => resolve({ target, ...given }).profile.network;

describe('CF4 what the network wants', () => {
  test('is nothing where nobody says anything, so that nothing is different then', () => {
    expect(resolve({ target }).profile).not.toHaveProperty('network');
    expect(network({ env: { NO_PROXY: '*', HTTPS_PROXY: '' } })).toBeUndefined();
    expect(network({ env: { HTTPS_PROXY: 'http://p.example' }, file: { proxy: 'none' } })).toBeUndefined();
  });

  test.each<[string, Given, object]>([
    [
      'HTTPS_PROXY',
      { env: { HTTPS_PROXY: 'http://u:p@p.example:1' } },
      { httpsProxy: 'http://u:p@p.example:1' },
    ],
    ['a host and port alone', { env: { https_proxy: 'p.example:1' } }, { httpsProxy: 'http://p.example:1' }],
    [
      'lower case before upper case',
      { env: { https_proxy: 'http://low.example', HTTPS_PROXY: 'http://up.example' } },
      { httpsProxy: 'http://low.example' },
    ],
    [
      'the setting before the variables',
      { env: { HTTPS_PROXY: 'http://v.example' }, file: { proxy: 'http://s.example:9' } },
      { httpsProxy: 'http://s.example:9', httpProxy: 'http://s.example:9' },
    ],
    [
      'credentials in the variable of the setting',
      { env: { MCP_BRIDGE_PROXY: 'http://u:p@p.example' } },
      { httpProxy: 'http://u:p@p.example' },
    ],
    ['NO_PROXY', { env: { NO_PROXY: 'a, b' }, file: { proxy: 'http://s.example' } }, { noProxy: 'a, b' }],
    ['caFile', { flags: { 'ca-file': '/etc/ca.pem' } }, { caFiles: ['/etc/ca.pem'] }],
    ['a path in the home directory', { file: { caFile: '~/ca.pem' } }, { caFiles: [`${homedir()}/ca.pem`] }],
    [
      'clientCert and clientKey',
      { file: { clientCert: '/c.pem', clientKey: '/k.pem' } },
      { clientCert: '/c.pem', clientKey: '/k.pem' },
    ],
    ['a file that holds both', { file: { clientKey: '/k.pem' } }, { clientCert: '/k.pem' }],
    [
      'the authorities of another environment',
      { env: { NODE_EXTRA_CA_CERTS: import.meta.filename } },
      { caFiles: [import.meta.filename] },
    ],
  ])('is read from %s', (_what, given, expected) => {
    expect(network(given)).toMatchObject(expected);
  });

  test('passes over NODE_EXTRA_CA_CERTS where the file is not there, as Node.js does', () => {
    expect(network({ env: { NODE_EXTRA_CA_CERTS: '/no/such/file' } })).toBeUndefined();
  });

  test.each<[string, Given, string]>([
    [
      'a SOCKS proxy on the way',
      { env: { HTTPS_PROXY: 'socks5://p.example' } },
      'The proxy in HTTPS_PROXY cannot be used',
    ],
    ['a setting that is no proxy', { file: { proxy: 'p.example:1' } }, 'it must be http://HOST:PORT'],
    ['a proxy with a path', { file: { proxy: 'http://p.example/pac' } }, 'it must be http://HOST:PORT'],
    ['a relative path', { file: { caFile: 'ca.pem' } }, 'an absolute path'],
  ])('is refused: %s', (_what, given, message) => {
    expect(refusal({ target, ...given })).toContain(message);
  });

  test.each<[string, Given]>([
    ['in the config file', { file: { proxy: 'http://jane:s3cr3t@p.example' } }],
    ['in a flag', { flags: { proxy: 'http://jane:s3cr3t@p.example' } }],
    ['in a value without a scheme', { env: { MCP_BRIDGE_PROXY: 'jane:s3cr3t@p.example:1' } }],
    ['in a value that cannot be used', { env: { MCP_BRIDGE_PROXY: 'ftp://jane:s3cr3t@p.example' } }],
  ])('a password %s is refused, and not repeated', (_where, given) => {
    const message = refusal({ target, ...given });
    expect(message).toContain('MCP_BRIDGE_PROXY');
    expect(message).not.toMatch(/jane|s3cr3t/);
  });

  test("SOCKS for others is nobody's concern on the way to this machine", () => {
    const env = { HTTPS_PROXY: 'socks5://p.example' };
    expect(resolve({ target: 'https://localhost/mcp', env }).profile.url.hostname).toBe('localhost');
  });
});
