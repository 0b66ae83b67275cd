// HttpClient on networks of all kinds: real TLS, real proxies, certificates of the test's own.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Network } from '../../src/platform/network/network.ts';
import { fetchFor } from '../../src/platform/network/fetch.ts';
import { connectionFailure } from '../../src/upstream/connection-failure.ts';
import { HttpClient } from '../../src/upstream/http.ts';
import { Authority, pem, type Signed } from '../support/certificates.ts';
import { useProxy, type ConnectProxy } from '../support/connect-proxy.ts';
import { missingTools, needsTools } from '../support/needs.ts';
import { defaultSettings } from '../support/default-settings.ts';

const settings = {
  ...defaultSettings,
  connectTimeoutMs: 1000,
};
const company = new Authority('Company CA');
const stranger = new Authority('Stranger CA');
const identity = company.sign('service', 'DNS:service.example,IP:127.0.0.1');
const plain: Network = { noProxy: '', caFiles: [] };
const trusting: Network = { ...plain, caFiles: [company.caFile] };

/** Answers every request with the name of the protocol and of the client's certificate. */
interface Service {
  readonly port: number;
  readonly requests: () => number;
}

async function serve(client?: {
  requestCert: boolean;
  ca: string;
  maxVersion?: 'TLSv1.2';
}): Promise<Service> {
  const options = client === undefined ? {} : { ...client, ca: pemOf(client.ca), rejectUnauthorized: true };
  const server: Http2SecureServer = createSecureServer({ ...pem(identity), ...options, allowHTTP1: true });
  let requests = 0;
  server.on('tlsClientError', () => {});
  server.on('request', (request, response) => {
    requests += 1;
    const socket = request.stream?.session?.socket ?? request.socket;
    const { subject } = (socket as TLSSocket).getPeerCertificate();
    response.end(`HTTP/${request.httpVersion} ${String(subject?.CN ?? 'nobody')}`);
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

const closers: (() => void)[] = [];
const pemOf = (path: string): Buffer => pem({ cert: path, key: path }).cert;
let service: Service;

const hasOpenssl = missingTools('openssl') === undefined;

beforeAll(async () => {
  if (hasOpenssl) service = await serve();
});
beforeEach((context) => needsTools(context, 'openssl'));
afterAll(() => {
  for (const close of closers) close();
});

/** What the service says, or how it went wrong. */
async function ask(
  url: string,
  network?: Network,
): Promise<string | { code: string; remedy: string | undefined; progress: string; message: string }> {
  const client = new HttpClient(new URL(url), {}, settings, network);
  onTestFinished(() => client.destroy());
  let body = '';
  const stop = new AbortController();
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}') } as const;
  const sink = { onHeaders: () => {}, onData: (chunk: Buffer) => void (body += chunk.toString()) };
  const outcome = await client.send(request, sink, stop.signal);
  if (outcome.kind === 'complete') return body;
  if (outcome.kind !== 'failed') throw new Error(`it should have failed, and is ${outcome.kind}`);
  const { failure, progress } = connectionFailure(outcome.error, outcome.progress);
  return { code: failure.code, remedy: failure.remedy, progress, message: failure.message };
}

const direct = (): string => `https://127.0.0.1:${service.port}/mcp`;
const named = 'https://service.example/mcp';
const proxyTo = (more: object = {}): Promise<ConnectProxy> =>
  useProxy({ routes: { 'service.example:443': `127.0.0.1:${service.port}` }, ...more });

describe('CF4 an authority of the company', () => {
  test('is trusted where its file is named, over HTTP/2 still', async () => {
    expect(await ask(direct(), trusting)).toBe('HTTP/2.0 nobody');
  });

  test('is not where it is not, and the error says how to name it', async () => {
    for (const network of [undefined, plain, { ...plain, caFiles: [stranger.caFile] }]) {
      expect(await ask(direct(), network)).toMatchObject({
        code: 'ERR_UPSTREAM_TLS',
        progress: 'not-sent',
        remedy: expect.stringMatching(/caFile.*NODE_EXTRA_CA_CERTS/),
      });
    }
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['is not there', () => {}, /there is no such file/],
    ['holds something else', (path) => writeFileSync(path, 'hello'), /no certificate in PEM/],
    [
      'is damaged',
      (path) => writeFileSync(path, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'),
      /OpenSSL does not take it/,
    ],
  ])('whose file %s is reported, and tried again when the file is right', async (_what, spoil, reason) => {
    const path = company.path('spoilt.crt');
    rmSync(path, { force: true });
    spoil(path);
    const network = { ...plain, caFiles: [path] };
    const client = await ask(direct(), network);
    expect(client).toMatchObject({
      code: 'ERR_NETWORK_FILE',
      progress: 'refused',
      message: expect.stringMatching(reason),
    });
    expect(client).toMatchObject({ message: expect.stringContaining(`${path} (caFile)`) });
    copyFileSync(company.caFile, path);
    expect(await ask(direct(), network)).toBe('HTTP/2.0 nobody');
  });
});

describe('CF4 a service that wants a certificate of the client', () => {
  const client = company.sign('jane', 'DNS:jane');
  const other = stranger.sign('mallory', 'DNS:mallory');
  const strict = { requestCert: true, ca: company.caFile };

  test('gets the one that is named, from two files or from one', async () => {
    service = await serve(strict);
    const both = company.path('both.pem');
    writeFileSync(both, Buffer.concat(Object.values(pem(client))));
    expect(await ask(direct(), { ...trusting, clientCert: client.cert, clientKey: client.key })).toBe(
      'HTTP/2.0 jane',
    );
    expect(await ask(direct(), { ...trusting, clientCert: both })).toBe('HTTP/2.0 jane');
  });

  test.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'without it refuses, over %s, and nothing has run',
    async (version) => {
      service = await serve({ ...strict, ...(version === 'TLSv1.2' ? { maxVersion: version } : undefined) });
      expect(await ask(direct(), trusting)).toMatchObject({
        code: 'ERR_UPSTREAM_CLIENT_CERT',
        progress: 'refused',
      });
      expect(service.requests()).toBe(0);
    },
  );

  test('gets the new one when the file was exchanged', async () => {
    service = await serve(strict);
    const files: Signed = { cert: company.path('renewed.crt'), key: company.path('renewed.key') };
    const network = { ...trusting, clientCert: files.cert, clientKey: files.key };
    for (const name of ['first', 'second']) {
      const { cert, key } = company.sign(name, 'DNS:x');
      copyFileSync(cert, files.cert);
      copyFileSync(key, files.key);
      expect(await ask(direct(), network)).toBe(`HTTP/2.0 ${name}`);
    }
  });

  test('whose key does not belong to it is reported by name', async () => {
    service = await serve(strict);
    expect(await ask(direct(), { ...trusting, clientCert: client.cert, clientKey: other.key })).toMatchObject(
      {
        code: 'ERR_NETWORK_FILE',
        message: expect.stringMatching(/\(clientKey\).*does not belong to the certificate/),
      },
    );
  });
});

describe('CF4 a proxy', () => {
  beforeAll(async () => {
    if (hasOpenssl) service = await serve();
  });

  test('carries the connection, over HTTP/2 still, and resolves the name', async () => {
    const proxy = await proxyTo();
    expect(await ask(named, { ...trusting, httpsProxy: proxy.origin })).toBe('HTTP/2.0 nobody');
    expect([proxy.asked, proxy.shown, proxy.others]).toEqual([['service.example:443'], [undefined], []]);
  });

  test('gets user name and password as they are, whatever is in them, and the service does not', async () => {
    const proxy = await proxyTo({ credentials: 'jane:p@ss:w%rd/ü' });
    const url = proxy.originWith(`jane:${encodeURIComponent('p@ss:w%rd/ü')}`);
    expect(await ask(named, { ...trusting, httpsProxy: url })).toBe('HTTP/2.0 nobody');
  });

  test.each([
    ['without user name and password', undefined, /wants a user name and a password/],
    ['with wrong ones', 'jane:wr0ng', /does not take the user name and password/],
  ])('%s refuses, is asked once, and nothing of them is told', async (_how, credentials, message) => {
    const proxy = await proxyTo({ credentials: 'jane:right' });
    const url = credentials === undefined ? proxy.origin : proxy.originWith(credentials);
    const failure = await ask(named, { ...trusting, httpsProxy: url });
    expect(failure).toMatchObject({ code: 'ERR_PROXY_AUTH', progress: 'refused' });
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    expect(JSON.stringify(failure)).not.toMatch(/jane|wr0ng/);
    expect(proxy.asked).toHaveLength(1);
  });

  test.each([
    [403, 'ERR_PROXY_REFUSED', 'refused'],
    [400, 'ERR_PROXY_REFUSED', 'refused'],
    [302, 'ERR_PROXY_REFUSED', 'refused'],
    [502, 'ERR_UPSTREAM_UNREACHABLE', 'not-sent'],
    [503, 'ERR_UPSTREAM_UNREACHABLE', 'not-sent'],
    [504, 'ERR_UPSTREAM_UNREACHABLE', 'not-sent'],
  ])('that answers %d means %s, %s', async (status, code, progress) => {
    const proxy = await proxyTo({ status });
    expect(await ask(named, { ...trusting, httpsProxy: proxy.origin })).toMatchObject({ code, progress });
  });

  test('that is not there, says nothing, or is none is reported within the time limit', async () => {
    const gone = await proxyTo();
    const { origin } = gone;
    await gone.close();
    const silent = await proxyTo({ isSilent: true });
    for (const [proxy, reason] of [
      [origin, /cannot be reached \(ECONNREFUSED\)/],
      [silent.origin, /silent for 1000 ms/],
      ['http://no-such-proxy.invalid:3128', /cannot be reached \((ENOTFOUND|EAI_AGAIN)\)/],
      [direct().replace('https:', 'http:').replace('/mcp', ''), /cannot be reached/],
    ] as const) {
      expect(await ask(named, { ...trusting, httpsProxy: proxy })).toMatchObject({
        code: 'ERR_PROXY_UNREACHABLE',
        progress: 'not-sent',
        message: expect.stringMatching(reason),
      });
    }
  });

  test('that is spoken to over TLS needs to be trusted too', async () => {
    const proxy = await proxyTo({ identity: company.sign('proxy', 'IP:127.0.0.1') });
    expect(await ask(named, { ...trusting, httpsProxy: proxy.origin })).toBe('HTTP/2.0 nobody');
    expect(await ask(named, { ...plain, httpsProxy: proxy.origin })).toMatchObject({
      code: 'ERR_PROXY_UNREACHABLE',
      remedy: expect.stringContaining('caFile'),
    });
  });

  test('is left out for those of NO_PROXY and for this machine', async () => {
    const proxy = await proxyTo();
    const network = { ...trusting, httpsProxy: proxy.origin };
    expect(await ask(direct(), network)).toBe('HTTP/2.0 nobody');
    expect(await ask(named, { ...network, noProxy: 'example' })).toMatchObject({
      code: 'ERR_UPSTREAM_UNREACHABLE',
    });
    expect(proxy.asked).toEqual([]);
  });

  test('behind which the certificate is for another name is no way around looking at it', async () => {
    const proxy = await useProxy({ routes: { 'other.example:443': `127.0.0.1:${service.port}` } });
    expect(await ask('https://other.example/', { ...trusting, httpsProxy: proxy.origin })).toMatchObject({
      code: 'ERR_UPSTREAM_TLS',
      message: expect.stringContaining('ALTNAME'),
    });
  });
});

test('CF4 fetch goes the same way: proxy, authorities, certificate', async () => {
  service = await serve({ requestCert: true, ca: company.caFile });
  const proxy = await proxyTo({ credentials: 'jane:right' });
  const { cert, key } = company.sign('fetcher', 'DNS:x');
  const network = {
    ...trusting,
    httpsProxy: proxy.originWith('jane:right'),
    clientCert: cert,
    clientKey: key,
  };
  const response = await fetchFor(network, 1000)(named, { method: 'POST', body: 'a=b' });
  expect([response.status, await response.text()]).toEqual([200, 'HTTP/1.1 fetcher']);
  const refused: unknown = await fetchFor(
    { ...network, httpsProxy: proxy.origin },
    1000,
  )(named).catch((error: unknown) => (error as Error).cause);
  expect(refused).toMatchObject({ trouble: { kind: 'proxy-auth' } });
});
