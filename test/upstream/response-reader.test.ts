// What one HTTP response comes to: a row for each kind of response that a service may send.
import { describe, expect, test } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import type { Envelope } from '../../src/protocol/envelope.ts';
import type { HttpHeaders, HttpOutcome } from '../../src/upstream/exchange.ts';
import { NO_MESSAGES } from '../../src/upstream/wire.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ResponseReader, type ResponseResult } from '../../src/upstream/response-reader.ts';

const limits = { maxBodyBytes: 4096, maxEventBytes: 4096 } as Settings;
const clock = new FakeClock();
const complete: HttpOutcome = { kind: 'complete' };

interface Given {
  readonly status?: number;
  readonly headers?: HttpHeaders;
  readonly chunks?: readonly (string | Buffer)[];
  readonly outcome?: HttpOutcome;
  readonly expectsAnswer?: boolean;
  readonly hadSession?: boolean;
}

interface Response {
  readonly delivered: string[];
  readonly result: ResponseResult;
}

/** Feeds the reader as the HTTP client does: what the reader throws ends the exchange. */
function respond(given: Given): Response {
  const delivered: string[] = [];
  const sink = {
    deliver: (message: Envelope) => void delivered.push(message.bytes.toString()),
    ready: () => undefined,
  };
  const options = { sink, expectsAnswer: given.expectsAnswer ?? true };
  const reader = new ResponseReader(options, limits, clock, given.hadSession ?? true);
  try {
    reader.onHeaders(given.status ?? 200, given.headers ?? {});
    for (const chunk of given.chunks ?? []) void reader.onData(Buffer.from(chunk));
  } catch (error) {
    return {
      delivered,
      result: reader.result({ kind: 'failed', progress: 'unknown', error: error as Error }),
    };
  }
  return { delivered, result: reader.result(given.outcome ?? complete) };
}

const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };
const answer = '{"jsonrpc":"2.0","id":0,"result":{"n":1.50}}';
const note = '{"jsonrpc":"2.0","method":"notifications/message"}';
const rpcError = '{"jsonrpc":"2.0","id":0,"error":{"code":-32001,"message":"no"}}';

describe('BR8 a response that is as the specification says', () => {
  test.each<[string, Given]>([
    ['202', { status: 202 }],
    ['202 with a text', { status: 202, headers: { 'content-type': 'text/plain' }, chunks: ['Accepted'] }],
    ['204', { status: 204 }],
    ['200 of no length', { headers: { 'content-length': '0' } }],
    ['200 with an empty JSON body', { headers: json }],
    ['200 with an empty body of no type', {}],
  ])('%s is an acceptance', (_what, given) => {
    expect(respond(given)).toEqual({ delivered: [], result: { kind: 'accepted' } });
  });

  test.each<[string, Given]>([
    ['at once', { headers: json, chunks: [answer] }],
    ['in pieces', { headers: json, chunks: [answer.slice(0, 7), answer.slice(7)] }],
    [
      'with parameters of the type',
      { headers: { 'content-type': 'Application/JSON; charset=utf-8' }, chunks: [answer] },
    ],
    ['without a type', { chunks: [answer] }],
    [
      'with the type twice',
      { headers: { 'content-type': ['application/json', 'text/html'] }, chunks: [answer] },
    ],
    ['with 201', { status: 201, headers: json, chunks: [answer] }],
  ])('a JSON body is delivered: %s', (_what, given) => {
    expect(respond(given)).toEqual({ delivered: [answer], result: { kind: 'ended', stream: undefined } });
  });

  test('a JSON batch is delivered message by message', () => {
    expect(respond({ headers: json, chunks: [`[${note},\n${answer}]`] })).toEqual({
      delivered: [note, answer],
      result: { kind: 'ended', stream: undefined },
    });
  });

  test('BR4 a pretty-printed body is delivered on one line', () => {
    const pretty = JSON.stringify(JSON.parse(answer), undefined, 2);
    const [line] = respond({ headers: json, chunks: [pretty] }).delivered;
    expect(line).not.toContain('\n');
    expect(JSON.parse(line ?? '')).toEqual(JSON.parse(answer));
  });

  test('an event stream is delivered event by event, and says how to go on with it', () => {
    const text = `id: e0\nretry: 30\n\ndata: ${note}\n\nevent: message\nid: e1\ndata: ${answer}\n\n: bye\n\n`;
    expect(respond({ headers: events, chunks: text.split(/(?<=[:\n])/) })).toEqual({
      delivered: [note, answer],
      result: { kind: 'ended', stream: { lastEventId: 'e1', retryMs: 30 } },
    });
  });

  test('events of other types are not messages', () => {
    const text = `event: ping\ndata: hello\n\ndata: ${answer}\n\n`;
    expect(respond({ headers: events, chunks: [text] }).delivered).toEqual([answer]);
  });

  test('an event stream that breaks says how far it came', () => {
    const outcome: HttpOutcome = { kind: 'failed', progress: 'unknown', error: new Error('reset') };
    expect(respond({ headers: events, chunks: ['id: e7\ndata:\n\n'], outcome }).result).toMatchObject({
      kind: 'broken',
      stream: { lastEventId: 'e7' },
    });
  });

  test('what was given up is just that', () => {
    const outcome: HttpOutcome = { kind: 'aborted', progress: 'unknown' };
    expect(respond({ headers: json, outcome }).result).toEqual({ kind: 'aborted' });
  });
});

describe('BR12 a response that is not', () => {
  const html = { 'content-type': 'text/html' };

  test.each<[string, Given, string]>([
    ['a page', { headers: html, chunks: ['<html>'] }, 'text/html'],
    ['a page in pieces', { headers: html, chunks: ['<', 'html>'] }, 'text/html'],
    ['text that is no JSON', { headers: json, chunks: ['oops'] }, 'not a JSON-RPC message'],
    ['JSON cut short', { headers: json, chunks: [answer.slice(0, -1)] }, 'not a JSON-RPC message'],
    ['JSON that is no message', { headers: json, chunks: ['{"error":"down"}'] }, 'not a JSON-RPC message'],
    ['bytes that are no UTF-8', { headers: json, chunks: [Buffer.from([0x22, 0xff, 0x22])] }, 'UTF-8'],
    ['a batch in a batch', { headers: json, chunks: [`[[${answer}]]`] }, 'not a JSON-RPC message'],
    ['an event that is no JSON', { headers: events, chunks: ['data: oops\n\n'] }, 'not a JSON-RPC message'],
    ['an event that is no message', { headers: events, chunks: ['data: {}\n\n'] }, 'not a JSON-RPC message'],
  ])('is a bad answer: %s', (_what, given, message) => {
    expect(respond(given).result).toMatchObject({
      kind: 'broken',
      failed: {
        progress: 'unknown',
        failure: { code: 'ERR_UPSTREAM_BAD_ANSWER', message: expect.stringContaining(message) },
      },
    });
  });

  test.each<[string, Given]>([
    ['a page', { headers: html, chunks: ['<html>'] }],
    ['text', { headers: { 'content-type': 'text/plain' }, chunks: ['ok'] }],
    ['JSON that is no message', { headers: json, chunks: ['{"ok":true}'] }],
    ['an event that is no message', { headers: events, chunks: ['data: {}\n\n'] }],
  ])('is of no interest in answer to a notification: %s', (_what, given) => {
    const { delivered, result } = respond({ ...given, expectsAnswer: false });
    expect(delivered).toEqual([]);
    expect(['accepted', 'ended']).toContain(result.kind);
  });

  test.each<[string, Given]>([
    ['a body', { headers: json, chunks: [Buffer.alloc(3000, ' '), Buffer.alloc(3000, ' ')] }],
    ['an event', { headers: events, chunks: ['data: ', 'x'.repeat(3000), 'x'.repeat(3000)] }],
  ])('SC4 is cut off past the limit: %s', (_what, given) => {
    expect(respond(given).result).toMatchObject({
      kind: 'broken',
      failed: { failure: { code: 'ERR_UPSTREAM_TOO_LARGE', message: expect.stringContaining('4096') } },
    });
  });

  test.each([
    ['before it was sent', 'ECONNREFUSED', 'not-sent'],
    ['after that', 'ECONNRESET', 'unknown'],
  ] as const)('a connection that failed %s says so, and the reason: %s', (_what, code, progress) => {
    const error = Object.assign(new Error('it failed'), { code });
    const { result } = respond({ headers: json, outcome: { kind: 'failed', progress, error } });
    const message = expect.stringContaining(code) as string;
    expect(result).toMatchObject({
      kind: 'broken',
      failed: { progress, failure: { code: 'ERR_UPSTREAM_UNREACHABLE', message, cause: error } },
    });
  });
});

describe('BR12 an HTTP error', () => {
  test.each<[string, Given]>([
    ['with a message of JSON-RPC', { status: 400, headers: json, chunks: [rpcError] }],
    ['of another type', { status: 500, headers: { 'content-type': 'text/plain' }, chunks: [rpcError] }],
    ['without an id', { status: 400, chunks: [rpcError.replace('"id":0', '"id":null')] }],
  ])('hands its message on: %s', (_what, given) => {
    const { delivered, result } = respond(given);
    expect(delivered).toEqual([]);
    expect(result).toMatchObject({ kind: 'rpc-error', code: given.status, message: { isError: true } });
  });

  test.each<[string, Given]>([
    ['a page', { status: 500, headers: { 'content-type': 'text/html' }, chunks: ['<html>'] }],
    ['nothing', { status: 500 }],
    ['an answer that is no error', { status: 500, headers: json, chunks: [answer] }],
    ['JSON of its own', { status: 500, headers: json, chunks: ['{"error":"down"}'] }],
    [
      'an endless page',
      { status: 500, chunks: Array.from({ length: 100 }, () => Buffer.alloc(65_536, 'x')) },
    ],
  ])('with anything else in it is judged by its status: %s', (_what, given) => {
    expect(respond(given)).toMatchObject({
      delivered: [],
      result: { kind: 'refused', code: 500, status: { failure: { code: 'ERR_UPSTREAM_HTTP_STATUS' } } },
    });
  });

  test.each([
    [404, 'refused', 'ERR_SESSION_LOST'],
    [429, 'refused', 'ERR_UPSTREAM_BUSY'],
    [503, 'refused', 'ERR_UPSTREAM_BUSY'],
    [502, 'unknown', 'ERR_UPSTREAM_UNREACHABLE'],
  ])('RT2 says what it says though its page breaks off: %i', (status, progress, code) => {
    const outcome: HttpOutcome = { kind: 'failed', progress: 'unknown', error: new Error('reset') };
    const headers = { 'content-length': '500', 'retry-after': '2' };
    for (const chunks of [[], ['<html>'], [rpcError.slice(0, 20)]])
      expect(respond({ status, headers, chunks, outcome }).result).toMatchObject({
        kind: 'refused',
        status: { progress, failure: { code }, retryAfterMs: 2000 },
      });
  });

  test('SE4 404 means the session only where there was one', () => {
    const codeOf = (hadSession: boolean): unknown => {
      const { result } = respond({ status: 404, hadSession });
      return result.kind === 'refused' ? [result.status.failure.code, result.status.sessionLost] : result;
    };
    expect(codeOf(true)).toEqual(['ERR_SESSION_LOST', true]);
    expect(codeOf(false)).toEqual(['ERR_UPSTREAM_HTTP_STATUS', undefined]);
  });

  test('RT2 hands on what it says of when to come back', () => {
    const retryAfter = (value: string | string[]): unknown => {
      const { result } = respond({ status: 503, headers: { 'retry-after': value } });
      return result.kind === 'refused' ? result.status.retryAfterMs : result;
    };
    expect(retryAfter('3')).toBe(3000);
    expect(retryAfter(['4', '5'])).toBe(4000);
    expect(retryAfter('Thu, 01 Jan 2026 00:00:10 GMT')).toBe(10_000);
    expect(retryAfter('soon')).toBeUndefined();
  });

  test('SC1 is what a redirect is that the HTTP client did not follow; it names the place, shortened', () => {
    const location = `https://other.example/${'x'.repeat(1000)}`;
    const { result } = respond({ status: 302, headers: { location } });
    expect(result).toMatchObject({
      kind: 'refused',
      status: {
        failure: {
          code: 'ERR_UPSTREAM_REDIRECT',
          message: expect.stringContaining('https://other.example/x'),
        },
      },
    });
    expect(JSON.stringify(result).length).toBeLessThan(500);
  });
});

describe('a response on its way', () => {
  const reader = (calls: string[]): ResponseReader =>
    new ResponseReader(
      { sink: NO_MESSAGES, expectsAnswer: true, onStart: () => void calls.push('start') },
      limits,
      clock,
      false,
      ({ status }) => calls.push(`open ${status}`),
    );

  test.each([
    [200, ['start', 'open 200']],
    [202, ['start', 'open 202']],
    [404, ['start']],
    [302, ['start']],
  ])('tells when it is accepted: %i', (status, expected) => {
    const calls: string[] = [];
    const each = reader(calls);
    each.onStart();
    each.onHeaders(status, json);
    expect(calls).toEqual(expected);
  });

  test('BR9 is held back while the client is behind', () => {
    const ready = Promise.resolve();
    const sink = { deliver: () => {}, ready: () => ready };
    const held = new ResponseReader({ sink, expectsAnswer: true }, limits, clock, false);
    held.onHeaders(200, events);
    expect(held.onData(Buffer.from(`data: ${answer}\n\n`))).toBe(ready);
  });
});
