// What becomes of a request that the service refuses for its credentials, over real sockets.
import { expect, onTestFinished, test } from 'vitest';
import { Abort } from '../../src/platform/abort.ts';
import type { Failure } from '../../src/protocol/errors.ts';
import type { Credentials } from '../../src/upstream/credentials.ts';
import type { HttpOutcome } from '../../src/upstream/exchange.ts';
import { HttpClient } from '../../src/upstream/http.ts';
import { useHttpServer } from '../support/http-server.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

test('AU4 a refusal whose page breaks off is a refusal all the same: the request goes again with another token', async () => {
  const { origin, requests } = await useHttpServer((request, response) => {
    if (request.headers.authorization === 'Bearer new') response.end('{}');
    else {
      response.writeHead(401, { 'content-length': '100' });
      response.write('<html>', () => response.destroy());
    }
  });
  const { statuses, outcome } = await send(origin, () => undefined);
  expect(outcome).toEqual({ kind: 'complete' });
  expect(statuses).toEqual([200]);
  expect(requests).toHaveLength(2);
});

test('AU7 a token that came while the request was on its way is tried once, and what it lacks is told', async () => {
  const failure: Failure = { code: 'ERR_AUTH_SCOPE', message: 'It takes more.', remedy: 'Sign in.' };
  const asked: unknown[] = [];
  const { origin, requests } = await useHttpServer((_request, response) => {
    response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }).end();
  });
  const { statuses, outcome } = await send(origin, (_challenge, header) => {
    asked.push(header);
    return header === 'Bearer old' ? 'renewed' : failure;
  });
  expect(outcome).toMatchObject({ kind: 'unauthorized', status: 403, reason: { failure } });
  expect(asked).toEqual(['Bearer old', 'Bearer new']);
  expect(statuses).toEqual([]);
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
});

test('AU4 a goodbye is sent with the token that there is, and renews nothing', async () => {
  const { origin, requests } = await useHttpServer(
    (_request, response) => void response.writeHead(401).end(),
  );
  let asked = 0;
  const count = async (): Promise<undefined> => void (asked += 1);
  const client = useClient(origin, {
    header: 'Bearer ended',
    isReady: false,
    obtain: count,
    refused: count,
    scopeMissing: () => undefined,
    accepted: () => {},
    checkNow: () => {},
    onChange: () => () => {},
  });
  const sink = { onHeaders: () => {}, onData: () => {} };
  const request = { method: 'DELETE', headers: {} } as const;
  expect(await client.send(request, sink, new Abort().signal)).toEqual({ kind: 'complete' });
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer ended']);
  expect(asked).toBe(0);
});

function useClient(origin: string, credentials: Credentials): HttpClient {
  const client = new HttpClient(new URL(origin), {}, settings, undefined, credentials);
  onTestFinished(() => client.destroy());
  return client;
}

/** Sends a request with a token that is replaced when it is refused. */
async function send(
  origin: string,
  scopeMissing: Credentials['scopeMissing'],
): Promise<{ statuses: number[]; outcome: HttpOutcome }> {
  let header = 'Bearer old';
  const credentials: Credentials = {
    get header() {
      return header;
    },
    isReady: true,
    obtain: async () => undefined,
    refused: async () => {
      header = 'Bearer new';
      return undefined;
    },
    scopeMissing,
    accepted: () => {},
    checkNow: () => {},
    onChange: () => () => {},
  };
  const client = useClient(origin, credentials);
  const statuses: number[] = [];
  const sink = { onHeaders: (status: number) => void statuses.push(status), onData: () => {} };
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}') } as const;
  const outcome = await client.send(request, sink, new Abort().signal);
  return { statuses, outcome };
}
