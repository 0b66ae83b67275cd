// HTTP+SSE of 2024-11-05: one GET opens the stream, its first event names where to POST, and every answer comes on it.
// https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
import type { Exchange } from './exchange.ts';
import { errorText } from './messages.ts';

const postPath = '/messages';

export async function answerLegacy(exchange: Exchange): Promise<void> {
  const { request, state } = exchange;
  const url = new URL(request.path, 'http://localhost');
  if (request.http === 'GET' && url.pathname === state.options.legacyPath) return openStream(exchange);
  if (request.http === 'POST' && url.pathname === postPath) {
    exchange.session = state.sessionOf(url.searchParams.get('sessionId') ?? undefined);
    return takePost(exchange);
  }
  return exchange.respond(url.pathname === state.options.legacyPath ? 405 : 404, undefined, '');
}

function openStream(exchange: Exchange): void {
  const { state, res } = exchange;
  const session = state.newSession();
  const stream = session.openStream();
  stream.attach(res);
  stream.raw(`event: endpoint\ndata: ${postPath}?sessionId=${session.id}\n\n`);
  state.noteStream(session, stream);
  // The session is the stream: without it nothing can be answered.
  res.once('close', () => state.sessions.delete(session.id));
}

async function takePost(exchange: Exchange): Promise<void> {
  const { session } = exchange;
  if (session === undefined)
    return exchange.respond(404, 'application/json', errorText('null', -32001, 'Session not found'));
  exchange.respond(202, 'text/plain', 'Accepted');
  for (const message of exchange.request.messages) {
    const answer = await exchange.execute(message, session.listen);
    if (answer !== undefined) session.listen?.send(answer);
  }
}
