// Which proxy leads to a service: settings, variables and NO_PROXY, as values.
import { describe, expect, test } from 'vitest';
import { isExempt } from '../../../src/platform/network/no-proxy.ts';
import { proxyFor, shownProxy, type Network } from '../../../src/platform/network/network.ts';

describe('CF4 NO_PROXY', () => {
  test.each<[list: string, host: string, port: number, isExempt: boolean]>([
    ['', 'a.example', 443, false],
    ['*', 'a.example', 443, true],
    ['a.example', 'a.example', 443, true],
    ['A.Example', 'a.eXample', 443, true],
    ['a.example', 'a.example.', 443, true],
    ['a.example', 'b.a.example', 443, true],
    ['a.example', 'ba.example', 443, false],
    ['.a.example', 'b.a.example', 443, true],
    ['.a.example', 'a.example', 443, true],
    ['*.a.example', 'c.b.a.example', 443, true],
    ['*.a.example', 'other.example', 443, false],
    ['a.example:8443', 'a.example', 8443, true],
    ['a.example:8443', 'a.example', 443, false],
    ['.a.example:8443', 'b.a.example', 8443, true],
    ['x.example, a.example', 'a.example', 443, true],
    ['x.example a.example', 'a.example', 443, true],
    [' , ,', 'a.example', 443, false],
    ['10.1.2.3', '10.1.2.3', 443, true],
    ['10.1.2.3:8080', '10.1.2.3', 443, false],
    ['10.1.2.3', '110.1.2.3', 443, false],
    ['.2.3', '10.1.2.3', 443, false],
    ['10.0.0.0/8', '10.200.3.4', 443, true],
    ['10.0.0.0/8', '11.0.0.1', 443, false],
    ['10.0.0.0/8', 'a.example', 443, false],
    ['10.0.0.0/99', '10.0.0.1', 443, false],
    ['a.example/8', 'a.example', 443, false],
    ['2001:db8::1', '[2001:db8::1]', 443, true],
    ['[2001:db8::1]:8443', '[2001:db8::1]', 8443, true],
    ['[2001:db8::1]:8443', '[2001:db8::1]', 443, false],
    ['2001:db8:0:0::1', '2001:db8::1', 443, true],
    ['2001:db8::/32', '[2001:db8:9::1]', 443, true],
    ['2001:db8::/32', '10.0.0.1', 443, false],
  ])('%j and %s port %d: %s', (list, host, port, expected) => {
    expect(isExempt(host, port, list)).toBe(expected);
  });
});

describe('CF4 the proxy to a service', () => {
  const network: Network = {
    httpsProxy: 'http://secure.example:1',
    httpProxy: 'http://open.example:2',
    noProxy: 'inside.example:8443',
    caFiles: [],
  };
  test.each([
    ['https://service.example/mcp', 'http://secure.example:1'],
    ['http://service.example/mcp', 'http://open.example:2'],
    ['https://inside.example/mcp', 'http://secure.example:1'],
    ['https://inside.example:8443/mcp', undefined],
    ['https://localhost/mcp', undefined],
    ['https://x.localhost/mcp', undefined],
    ['https://127.8.8.8/mcp', undefined],
    ['https://[::1]:9/mcp', undefined],
    ['https://128.0.0.1/mcp', 'http://secure.example:1'],
  ])('%s goes by %s', (url, proxy) => {
    expect(proxyFor(new URL(url), network)).toBe(proxy);
  });

  test('is shown without user name and password', () => {
    expect(shownProxy('http://user:pass@proxy.example:3128/')).toBe('http://proxy.example:3128');
  });
});
