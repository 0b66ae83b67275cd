// Streamable HTTP as a service speaks it that nothing is wrong with.
import type { Exchange } from './exchange.ts';
import { errorText, isRequest } from './messages.ts';

export async function answerStreamable(exchange: Exchange): Promise<void> {
  if (!hasSession(exchange)) return;
  switch (exchange.request.http) {
    case 'POST':
      return answerPost(exchange);
    case 'GET':
      return openListening(exchange);
    case 'DELETE':
      if (exchange.session) exchange.state.endSession(exchange.session);
      return exchange.respond(200, undefined, '');
    default:
      return exchange.respond(405, undefined, '', { allow: 'GET, POST, DELETE' });
  }
}

/** Refuses what names no session or one that is gone. */
function hasSession(exchange: Exchange): boolean {
  const { request, session, state } = exchange;
  if (!state.hasSessions || session !== undefined || request.rpc === 'initialize') return true;
  if (request.sessionId === undefined) {
    exchange.respond(
      400,
      'application/json',
      errorText('null', -32000, 'Bad Request: No valid session ID provided'),
    );
  } else {
    exchange.respond(404, 'application/json', errorText('null', -32001, 'Session not found'));
  }
  return false;
}

async function answerPost(exchange: Exchange): Promise<void> {
  const { messages } = exchange.request;
  if (messages.length === 0) {
    return exchange.respond(400, 'application/json', errorText('null', -32700, 'Parse error'));
  }
  if (!messages.some(isRequest)) {
    for (const message of messages) await exchange.execute(message);
    return exchange.respond(202, undefined, '');
  }
  return exchange.state.options.answers === 'sse' ? asSse(exchange) : asJson(exchange);
}

/** Answers with one JSON body; to a batch, with an array. */
export async function asJson(exchange: Exchange): Promise<void> {
  const { messages, text } = exchange.request;
  const answers = (await Promise.all(messages.map((message) => exchange.execute(message)))).filter(
    (answer) => answer !== undefined,
  );
  if (answers.length === 0) return exchange.respond(202, undefined, '');
  exchange.respondJson(text.trimStart().startsWith('[') ? `[${answers.join(',')}]` : answers.join());
}

/** Answers with an event stream. */
export async function asSse(exchange: Exchange): Promise<void> {
  const stream = exchange.openStream();
  if (exchange.state.options.prime) stream.prime();
  await Promise.all(
    exchange.request.messages.map(async (message) => {
      const answer = await exchange.execute(message, stream);
      if (answer !== undefined) stream.send(answer);
    }),
  );
  stream.complete();
}

/** The standing GET stream, or one that is resumed. */
function openListening(exchange: Exchange): void {
  const { state, request, res } = exchange;
  const session = exchange.session ?? state.anonymous;
  if (!state.options.getStream) return exchange.respond(405, undefined, '', { allow: 'POST, DELETE' });
  const lastEventId = request.headers['last-event-id'] as string | undefined;
  const resumed = lastEventId === undefined ? undefined : session.streamOf(lastEventId);
  if (resumed !== undefined) {
    resumed.attach(res, lastEventId);
    return;
  }
  const stream = session.openStream();
  stream.attach(res);
  state.noteStream(session, stream);
}
