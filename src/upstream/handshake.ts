// Opens a session: `initialize`, then notifications/initialized; finds out which transport the service speaks by the
// specification's rule (MCP 2025-11-25, basic/transports, Backwards Compatibility). What depends on the protocol's era is here.

import type { AttemptOutcome, FailedAttempt } from '../policy/attempt.ts';
import { classifyStatus } from '../policy/http-status.ts';
import type { Envelope } from '../protocol/envelope.ts';
import type { Settings } from '../config/settings.ts';
import { nextTurn, sleep, type Clock } from '../platform/clock.ts';
import type { Observer } from '../observe/events.ts';
import type { ClientSink } from './call.ts';
import type { HttpClient } from './http.ts';
import { LegacySse } from './legacy-sse.ts';
import { LiveSession } from './live-session.ts';
import type { Pace } from './pace.ts';
import type { ResponseResult } from './response-reader.ts';
import { StreamableHttp } from './streamable-http.ts';
import { NO_MESSAGES } from './wire.ts';

export interface HandshakeContext {
  readonly url: URL;
  readonly http: HttpClient;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly unsolicited: ClientSink;
  readonly pace?: Pace;
  /** True where everything is to go on one connection, in turn; this costs a little time. */
  readonly oneConnection?: boolean;
}

export interface Established {
  readonly kind: 'established';
  readonly live: LiveSession;
  /** The service's answer to `initialize`, under the bridge's id. */
  readonly answer: Envelope;
  readonly protocolVersion: string;
  readonly sessionId: string | undefined;
}

export type HandshakeOutcome =
  | Established
  /** The service answered `initialize` with a JSON-RPC error, and not because it is busy or broken. */
  | { readonly kind: 'rejected'; readonly message: Envelope }
  | FailedAttempt
  | { readonly kind: 'aborted' };

const INITIALIZED = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');
/** How long giving back a session that was just made may take, in milliseconds. */
const GIVE_BACK_MS = 500;
/**
 * How long the connection may take to become free again, in milliseconds. Load balancers choose the server by connection, so what
 * belongs together goes on one.
 */
const REST_MS = 250;
/** When a silent try is joined by another, in milliseconds from its beginning. */
const JOIN_AFTER_MS = [1500, 5000];
/** The statuses that tell a client to try the older transport. */
const MAYBE_LEGACY = [400, 404, 405];

/**
 * @param initialize the client's own request; its parameters are what the service gets
 * @param fresh on a connection of its own
 */
async function handshake(
  context: HandshakeContext,
  initialize: Envelope,
  signal: AbortSignal,
  fresh = false,
): Promise<HandshakeOutcome> {
  context.http.forgetRedirect();
  const live = new LiveSession(context);
  const wire = new StreamableHttp(context.http, context.settings, context.clock);
  live.wire = wire;
  const outcome = await live.call({ request: initialize, sink: NO_MESSAGES, safety: 'safe' }, signal, fresh);
  if (
    'httpStatus' in outcome &&
    outcome.httpStatus !== undefined &&
    MAYBE_LEGACY.includes(outcome.httpStatus)
  ) {
    const legacy = await legacyHandshake(context, initialize, signal);
    if (legacy !== undefined) return legacy;
  }
  if (outcome.kind !== 'answered') return outcome;
  return complete(live, outcome, wire, context, signal);
}

/**
 * As `handshake`, within the time that the settings give it; aborted only when `signal` aborts.
 * @param isAnew where there was a session or a failed try before: connections may be dead then, so new ones are used, and a try
 *   that stays silent is joined by another. The first session counts; others are given back.
 */
export async function handshakeInTime(
  context: HandshakeContext,
  initialize: Envelope,
  signal: AbortSignal,
  isAnew = false,
): Promise<HandshakeOutcome> {
  const { clock, settings } = context;
  const limitMs = settings.initializeTimeoutMs;
  const stop = new AbortController();
  const timer = clock.after(limitMs, () => stop.abort({ kind: 'deadline' }));
  const either = AbortSignal.any([signal, stop.signal]);
  const first = Promise.withResolvers<HandshakeOutcome>();
  let running = 0;
  const begin = (): void => {
    running += 1;
    void handshake(context, initialize, either, isAnew).then((outcome) => {
      running -= 1;
      if (outcome.kind === 'failed' && outcome.progress === 'unknown' && running > 0) return;
      if (outcome.kind === 'established' && stop.signal.aborted)
        void endWithin(outcome.live, GIVE_BACK_MS, clock);
      first.resolve(outcome);
    });
  };
  begin();
  const joiners = isAnew ? JOIN_AFTER_MS.map((ms) => clock.after(ms, begin)) : [];
  const outcome = await first.promise;
  for (const joiner of [timer, ...joiners]) joiner.cancel();
  stop.abort({ kind: 'superseded' });
  if (outcome.kind !== 'aborted' || signal.aborted) return outcome;
  const message = `The service did not complete the handshake within ${limitMs} ms.`;
  return { kind: 'failed', progress: 'unknown', failure: { code: 'ERR_UPSTREAM_TIMEOUT', message } };
}

/** Waits until no exchange is under way and their connection can be used again. */
export async function rest(live: LiveSession, clock: Clock): Promise<void> {
  await Promise.race([live.quiet(), sleep(clock, REST_MS, live.signal)]);
  // undici takes a connection back one turn of the event loop after its response has ended.
  await nextTurn();
}

/** Ends a session at the service, as far as the time allows. Never rejects. */
export async function endWithin(live: LiveSession, limitMs: number, clock: Clock): Promise<void> {
  const limit = new AbortController();
  const timer = clock.after(limitMs, () => limit.abort());
  await live.end(limit.signal);
  timer.cancel();
}

/** Undefined where the URL offers no HTTP+SSE stream. */
async function legacyHandshake(
  context: HandshakeContext,
  initialize: Envelope,
  signal: AbortSignal,
): Promise<HandshakeOutcome | undefined> {
  const live = new LiveSession(context);
  const wire = await LegacySse.open(
    {
      ...context,
      sink: live.listenSink,
      onClosed: (reason) => {
        live.abandon({
          kind: 'failed',
          progress: 'unknown',
          failure: {
            code: 'ERR_SESSION_LOST',
            message: `The service's event stream has ended (${reason}), and the session with it.`,
          },
          sessionLost: true,
        });
      },
      onDropped: (reason) => context.observer({ type: 'upstream.dropped', reason }),
    },
    signal,
  );
  if (wire === undefined) return undefined;
  live.wire = wire;
  const outcome = await live.call({ request: initialize, sink: NO_MESSAGES, safety: 'safe' }, signal);
  const result =
    outcome.kind === 'answered' ? await complete(live, outcome, undefined, context, signal) : outcome;
  if (result.kind !== 'established') void wire.end();
  return result;
}

async function complete(
  live: LiveSession,
  { message: answer, httpStatus = 200 }: AttemptOutcome & { kind: 'answered' },
  streamable: StreamableHttp | undefined,
  { clock, oneConnection = false }: HandshakeContext,
  signal: AbortSignal,
): Promise<HandshakeOutcome> {
  // A service that is broken, whatever it says of that, may be mended; one that rejects us does so for good.
  if (httpStatus >= 500) return classifyStatus({ status: httpStatus, hadSession: false });
  if (answer.isError) return { kind: 'rejected', message: answer };
  const protocolVersion = readProtocolVersion(answer);
  if (protocolVersion === undefined) {
    const message = 'The service answered `initialize` without a protocol version.';
    return { kind: 'failed', progress: 'refused', failure: { code: 'ERR_UPSTREAM_BAD_ANSWER', message } };
  }
  streamable?.establish(protocolVersion);
  if (oneConnection) await rest(live, clock);
  // Awaited, because some services refuse requests that overtake it.
  const sent = await live.send(INITIALIZED, signal);
  const failed = judgeInitialized(sent, streamable?.hasUnusableId === true);
  if (failed !== undefined) {
    await endWithin(live, GIVE_BACK_MS, clock);
    return failed;
  }
  if (oneConnection) await rest(live, clock);
  return { kind: 'established', live, answer, protocolVersion, sessionId: streamable?.sessionId };
}

/** Undefined where the session can be used. A service that still waits for this notification would refuse every call. */
function judgeInitialized(sent: ResponseResult, hasUnusableId: boolean): HandshakeOutcome | undefined {
  if (sent.kind === 'aborted') return { kind: 'aborted' };
  if (sent.kind === 'broken') return sent.failed;
  if (sent.kind !== 'refused' && sent.kind !== 'rpc-error') return undefined;
  const isLost = sent.kind === 'refused' && sent.status.sessionLost === true;
  if (isLost || sent.code === 429 || sent.code >= 500) return sent.status;
  if (hasUnusableId) {
    const message = 'The service named the session with an id that no header may hold, and asks for it.';
    return { kind: 'failed', progress: 'refused', failure: { code: 'ERR_UPSTREAM_BAD_ANSWER', message } };
  }
  // Others have no use for notifications, or have lost the session: the first call shows that, and is sent again.
  return undefined;
}

function readProtocolVersion(answer: Envelope): string | undefined {
  const { result } = JSON.parse(answer.bytes.toString('utf8')) as { result?: unknown };
  if (typeof result !== 'object' || result === null || !('protocolVersion' in result)) return undefined;
  return typeof result.protocolVersion === 'string' ? result.protocolVersion : undefined;
}
