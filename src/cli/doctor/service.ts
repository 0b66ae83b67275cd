// The steps from HTTP upwards, over the bridge's own way to the service: what works here works in the bridge.

import type { Profile } from '../../config/resolve.ts';
import type { Settings } from '../../config/settings.ts';
import { sleep, type Clock } from '../../platform/clock.ts';
import { agentFor } from '../../platform/network/connector.ts';
import { NetworkError } from '../../platform/network/network-error.ts';
import { ERROR_KINDS, type ErrorCode, type Failure } from '../../protocol/errors.ts';
import { ownMessage } from '../../protocol/own-message.ts';
import { connectionFailure } from '../../upstream/connection-failure.ts';
import { endWithin, handshakeInTime, type Established } from '../../upstream/handshake.ts';
import { HttpClient } from '../../upstream/http.ts';
import type { Credentials } from '../../upstream/credentials.ts';
import { took } from '../render/text.ts';
import { failed, ok, type Verdict } from './step.ts';

const END_MS = 2000;
const INITIALIZE = ownMessage(
  JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'mcp-bridge-doctor', version: '1.0.0' },
    },
  }),
);
const PING = ownMessage('{"jsonrpc":"2.0","id":0,"method":"ping"}');

/** Whether something that speaks HTTP answers, whatever it says. */
export async function askHttp(
  { url, headers, network }: Profile,
  { connectTimeoutMs }: Settings,
  signal: AbortSignal,
): Promise<Verdict> {
  const agent = agentFor(network, connectTimeoutMs);
  try {
    const path = url.pathname + url.search;
    const { statusCode, body } = await agent.request({
      origin: url.origin,
      path,
      method: 'HEAD',
      headers,
      signal,
    });
    await body.dump();
    return judgeStatus(statusCode);
  } catch (error) {
    if (error instanceof NetworkError) return fromFailure(connectionFailure(error, 'not-sent').failure);
    const why = signal.aborted ? 'silence' : ((error as NodeJS.ErrnoException).code ?? 'no HTTP');
    const remedy =
      'Something listens there, but it does not answer as a web service does: check the port, then ask the people who run it.';
    return failed(`no answer over HTTP (${why})`, remedy);
  } finally {
    void agent.destroy();
  }
}

function judgeStatus(status: number): Verdict {
  const detail = `answers with HTTP ${status}`;
  if (status < 500) return ok(detail);
  const remedy =
    'The service, or a proxy before it, is in trouble: wait a moment, then tell the people who run it.';
  // Some services know no HEAD; the handshake shows what they can do.
  return status === 501 ? ok(detail) : failed(detail, remedy);
}

export class ServiceExamination {
  readonly #profile: Profile;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #http: HttpClient;
  readonly #credentials: Credentials | undefined;
  #established: Established | undefined;
  #handshakeMs = 0;
  /** Why the handshake did not succeed. */
  code: ErrorCode | undefined;
  #remedy: string | undefined;

  /** @param credentials the sign-in that is kept, where the profile has no token of its own */
  constructor(profile: Profile, settings: Settings, clock: Clock, credentials?: Credentials) {
    this.#profile = profile;
    this.#settings = settings;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#http = new HttpClient(profile.url, profile.headers, settings, profile.network, credentials);
  }

  async handshake(signal: AbortSignal): Promise<Verdict> {
    const startedAt = this.#clock.now();
    const outcome = await handshakeInTime(
      {
        url: this.#profile.url,
        http: this.#http,
        settings: this.#settings,
        clock: this.#clock,
        observer: () => {},
        unsolicited: { deliver: () => {}, ready: () => undefined },
      },
      INITIALIZE,
      signal,
    );
    this.#handshakeMs = this.#clock.now() - startedAt;
    switch (outcome.kind) {
      case 'established': {
        this.#established = outcome;
        const { live, protocolVersion } = outcome;
        return ok(`revision ${protocolVersion} over ${live.wire.kind}`);
      }
      case 'rejected':
        this.code = 'ERR_UPSTREAM_BAD_ANSWER';
        return failed(
          'the service refuses `initialize` with an error of its own',
          ERROR_KINDS[this.code].remedy,
        );
      case 'failed':
        this.code = outcome.failure.code;
        this.#remedy = outcome.failure.remedy;
        return fromFailure(outcome.failure);
      case 'aborted':
        return failed('it took too long', ERROR_KINDS.ERR_UPSTREAM_TIMEOUT.remedy);
    }
  }

  /** Two more requests on the same session. */
  async reuse(signal: AbortSignal): Promise<Verdict> {
    const established = this.#established;
    if (established === undefined) throw new Error('there is no session to use again');
    const times: number[] = [];
    for (let n = 0; n < 2; n += 1) {
      const startedAt = this.#clock.now();
      const outcome = await established.live.call(
        { request: PING, sink: { deliver: () => {}, ready: () => undefined }, safety: 'safe' },
        signal,
      );
      times.push(this.#clock.now() - startedAt);
      if (outcome.kind === 'failed') return fromFailure(outcome.failure);
      if (outcome.kind === 'aborted')
        return failed('no answer to a second request', ERROR_KINDS.ERR_UPSTREAM_TIMEOUT.remedy);
    }
    const kept =
      established.sessionId === undefined
        ? 'the service keeps no sessions, and needs none'
        : 'one session carries them';
    return ok(
      `two requests took ${took(times[0] ?? 0)} and ${took(times[1] ?? 0)}, the handshake ${took(this.#handshakeMs)}; ${kept}`,
    );
  }

  signIn(): Verdict {
    const names = Object.keys(this.#profile.headers);
    if (this.code === 'ERR_AUTH_REQUIRED') {
      const given = names.includes('authorization')
        ? 'it does not take the token that it is given'
        : 'it is given no token';
      const remedy = this.#remedy ?? ERROR_KINDS.ERR_AUTH_REQUIRED.remedy;
      return failed(`needed: the service wants a sign-in, and ${given}`, remedy);
    }
    if (names.includes('authorization')) return ok('the token that is configured is taken');
    if (this.#credentials?.header !== undefined) return ok('signed in, and the service takes it');
    return ok('none needed');
  }

  /** Gives the session back. */
  async close(): Promise<void> {
    if (this.#established !== undefined) await endWithin(this.#established.live, END_MS, this.#clock);
    await Promise.race([this.#http.destroy(), sleep(this.#clock, END_MS)]);
  }
}

function fromFailure({ code, message, remedy }: Failure): Verdict {
  return failed(`${code}: ${message}`, remedy ?? ERROR_KINDS[code].remedy);
}
