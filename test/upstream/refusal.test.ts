// What becomes of a request that the service refuses for its credentials, over real sockets.
import { expect, onTestFinished, test } from 'vitest';
import { SETTINGS, type Settings } from '../../src/config/settings.ts';
import { Abort } from '../../src/platform/abort.ts';
import type { Credentials } from '../../src/upstream/credentials.ts';
import { HttpClient } from '../../src/upstream/http.ts';
import { useHttpServer } from '../support/http-server.ts';

const settings = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, { default: value }]) => [name, value]),
) as unknown as Settings;

test('AU4 a refusal whose page breaks off is a refusal all the same: the request goes again with another token', async () => {
  const { origin, requests } = await useHttpServer((request, response) => {
    if (request.headers.authorization === 'Bearer new') response.end('{}');
    else {
      response.writeHead(401, { 'content-length': '100' });
      response.write('<html>', () => response.destroy());
    }
  });
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
    scopeMissing: () => undefined,
    accepted: () => {},
    onChange: () => () => {},
  };
  const client = new HttpClient(new URL(origin), {}, settings, undefined, credentials);
  onTestFinished(() => client.destroy());
  const statuses: number[] = [];
  const sink = { onHeaders: (status: number) => void statuses.push(status), onData: () => {} };
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}') } as const;
  const outcome = await client.send(request, sink, new Abort().signal);
  expect(outcome).toEqual({ kind: 'complete' });
  expect(statuses).toEqual([200]);
  expect(requests).toHaveLength(2);
});
