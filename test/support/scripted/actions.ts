// What can go wrong at a service, as actions for its script. Those that say "after it ran" execute the request first;
// the others never do. Any function of an exchange is an action too: what is missing here is written in the test.
import type { Exchange } from './exchange.ts';
import { errorText } from './messages.ts';
import type { Action } from './script.ts';
import { dataLines, type EventStream } from './sessions.ts';

export { asJson, asSse } from './streamable.ts';

// ── silence and time ────────────────────────────────────────────────────────

/** Takes the request and never answers. */
export const hang: Action = () => {};

/** Executes it and never answers. */
export const hangAfter: Action = async (exchange) => void (await exchange.execute());

/** Sends the headers of an event stream, and nothing more. */
export const hangInSse: Action = (exchange) => void exchange.openStream();

/** Waits, then goes on with another action. */
export const delayed =
  (ms: number, then: Action = normally): Action =>
  async (exchange) => {
    await exchange.wait(ms);
    await then(exchange);
  };

/** Waits for a promise of the test, then goes on with another action. */
export const heldUntil =
  (released: Promise<unknown>, then: Action = normally): Action =>
  async (exchange) => {
    await released;
    await then(exchange);
  };

export const normally: Action = (exchange) => exchange.normal();

/** Answers after it ran, a few bytes at a time. */
export const drip =
  (msBetween: number, bytesEach = 1): Action =>
  async (exchange) => {
    const body = (await exchange.execute()) ?? '';
    exchange.res.writeHead(200, { 'content-type': 'application/json', ...exchange.sessionHeaders });
    for (let at = 0; at < body.length && !exchange.res.destroyed; at += bytesEach) {
      exchange.res.write(body.slice(at, at + bytesEach));
      await exchange.wait(msBetween);
    }
    exchange.res.end();
  };

// ── cut connections ─────────────────────────────────────────────────────────

/** How a connection ends in the middle of something. */
export type Ending = 'reset' | 'finish';

/** Resets the connection; the request never ran. */
export const resetBefore: Action = (exchange) => exchange.socket.reset();

/** Closes the connection in an orderly way, without an answer; the request never ran. */
export const closeBefore: Action = (exchange) => exchange.socket.finish();

/** Resets the connection after it ran. */
export const resetAfter: Action = async (exchange) => {
  await exchange.execute();
  exchange.socket.reset();
};

/** Half of the JSON answer after it ran, then the end of the connection. */
export const halfJson =
  (ending: Ending): Action =>
  async (exchange) => {
    const body = Buffer.from((await exchange.execute()) ?? '');
    exchange.res.writeHead(200, {
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...exchange.sessionHeaders,
    });
    await write(exchange, body.subarray(0, body.length >> 1));
    exchange.socket[ending]();
  };

/** Half of the event that carries the answer after it ran, then the end of the connection. Nothing to resume from. */
export const halfSse =
  (ending: Ending): Action =>
  async (exchange) => {
    const answer = (await exchange.execute()) ?? '';
    openSse(exchange);
    await write(exchange, `event: message\ndata: ${answer.slice(0, answer.length >> 1)}`);
    exchange.socket[ending]();
  };

/** A stream that ends in an orderly way without the answer, after it ran, and gave no id to resume from. */
export const sseWithoutAnswer: Action = async (exchange) => {
  await exchange.execute();
  openSse(exchange);
  exchange.res.end(': nothing here\n\n');
};

/**
 * A stream that gives an event id and ends before the answer; the answer waits for whoever resumes with that id.
 * `retryMs` is sent as the stream's `retry`; with `cut`, the connection is reset instead of ended.
 */
export const resumable =
  (options: { retryMs?: number; cut?: boolean } = {}): Action =>
  async (exchange) => {
    const stream = exchange.openStream();
    if (options.retryMs !== undefined) stream.retry(options.retryMs);
    stream.prime();
    await flushed(exchange);
    if (options.cut) exchange.socket.reset();
    else stream.cut();
    await finish(exchange, stream);
  };

async function finish(exchange: Exchange, stream: EventStream): Promise<void> {
  const answer = await exchange.execute(exchange.message, stream);
  if (answer !== undefined) stream.send(answer);
  stream.complete();
}

// ── refusals ────────────────────────────────────────────────────────────────

/** Any answer at HTTP's level; the request never ran. */
export const status =
  (code: number, body = '', contentType = 'text/plain', headers: Record<string, string> = {}): Action =>
  (exchange) =>
    exchange.respond(code, contentType, body, headers);

export const sessionNotFound: Action = status(
  404,
  errorText('null', -32001, 'Session not found'),
  'application/json',
);

export const noValidSession: Action = status(
  400,
  errorText('null', -32000, 'Bad Request: No valid session ID provided'),
  'application/json',
);

/** 429 or 503, with `Retry-After` in seconds or as a date where given. */
export const busy = (code: 429 | 503, retryAfter?: string): Action =>
  status(code, 'Busy', 'text/plain', retryAfter === undefined ? {} : { 'retry-after': retryAfter });

/** What a proxy shows when its own upstream is away, or a captive portal to everyone (200). */
export const htmlPage = (code: number): Action =>
  status(code, '<!doctype html><html><body><h1>Something</h1></body></html>', 'text/html; charset=utf-8');

export const unauthorized: Action = status(401, '', 'text/plain', {
  'www-authenticate': 'Bearer error="invalid_token"',
});
export const forbidden: Action = status(403, 'Forbidden');

export const redirect = (code: 301 | 302 | 303 | 307 | 308, location: string): Action =>
  status(code, '', 'text/plain', { location });

/** 202 to a request, which no answer follows. */
export const accepted: Action = (exchange) => exchange.respond(202, undefined, '');

/** 200 and nothing in it. */
export const emptyOk: Action = status(200, '', 'application/json');

// ── odd answers ─────────────────────────────────────────────────────────────

/** The answer after it ran, changed on its way out. */
export const changed =
  (change: (answer: string, exchange: Exchange) => string, contentType = 'application/json'): Action =>
  async (exchange) =>
    exchange.respond(200, contentType, change((await exchange.execute()) ?? '', exchange));

/** The answer's result is exactly this text; the request never ran. */
export const rawResult = (result: string): Action =>
  rawBody((idText) => `{"jsonrpc":"2.0","id":${idText},"result":${result}}`);

/** The JSON body is exactly this text; the request never ran. */
export const rawBody =
  (body: (idText: string) => string): Action =>
  (exchange) =>
    exchange.respondJson(body(exchange.idText));

/** An event stream of exactly this text; the request never ran. */
export const rawSse =
  (body: (idText: string) => string): Action =>
  (exchange) => {
    openSse(exchange);
    exchange.res.end(body(exchange.idText));
  };

/** One message as an event. */
export const sseEvent = (text: string): string => `${dataLines(text)}\n`;

export const wrongContentType = changed((answer) => answer, 'text/plain');
export const invalidJson = changed((answer) => answer.slice(0, -1));
export const pretty = changed((answer) => (answer === '' ? '' : JSON.stringify(JSON.parse(answer), null, 2)));
export const unknownId = rawBody(() => '{"jsonrpc":"2.0","id":"no-such-request","result":{}}');
export const nullIdError = rawBody(() => errorText('null', -32600, 'Something was wrong with the request'));
export const batchAnswer = changed((answer) => `[${answer}]`);

/** One SSE line without an end: `bytes` of it, or for as long as the peer reads. */
export const longSseLine =
  (bytes = Infinity): Action =>
  async (exchange) => {
    openSse(exchange);
    await pour(exchange, 'data: ', bytes);
    exchange.res.end();
  };

/** A JSON body without an end: `bytes` of it, or for as long as the peer reads. */
export const longJson =
  (bytes = Infinity): Action =>
  async (exchange) => {
    exchange.res.writeHead(200, { 'content-type': 'application/json' });
    await pour(exchange, `{"jsonrpc":"2.0","id":${exchange.idText},"result":{"text":"`, bytes);
    exchange.res.end('"}}');
  };

const filler = Buffer.alloc(64 * 1024, 'x');

async function pour(exchange: Exchange, head: string, bytes: number): Promise<void> {
  const { res } = exchange;
  res.write(head);
  for (let sent = 0; sent < bytes && !res.destroyed; sent += filler.length) {
    if (!res.write(filler.subarray(0, Math.min(filler.length, bytes - sent)))) await drained(exchange);
  }
}

/** The next moment at which more can be written, or the connection's end. */
function drained({ res }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.once('drain', done).once('close', done);
  });
}

function openSse(exchange: Exchange): void {
  exchange.res.writeHead(200, { 'content-type': 'text/event-stream', ...exchange.sessionHeaders });
}

/** Resolves when the bytes have been handed to the socket, so that what cuts it next comes after them. */
function write({ res }: Exchange, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => void res.write(bytes, () => resolve()));
}

const flushed = (exchange: Exchange): Promise<void> => write(exchange, ': \n\n');
