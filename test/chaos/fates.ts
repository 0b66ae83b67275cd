// What becomes of one HTTP request at the service. The seed, the request's nonce and how often it has come decide, not
// the moment at which it arrives; so the same seed gives the same request the same fate.
import {
  accepted,
  asSse,
  busy,
  changed,
  closeBefore,
  delayed,
  drip,
  emptyOk,
  halfJson,
  halfSse,
  hang,
  hangAfter,
  hangInSse,
  htmlPage,
  invalidJson,
  noValidSession,
  normally,
  resetAfter,
  resetBefore,
  resumable,
  sessionNotFound,
  sseWithoutAnswer,
  status,
  type Action,
  type Exchange,
} from '../support/scripted-service.ts';
import { notificationText, type JsonObject } from '../support/scripted/messages.ts';
import { hash, Random, type Weighted } from './random.ts';

type Named = readonly [name: string, action: Action];

/** An event stream with progress that names the request's nonce, then the answer; `cut` breaks it half way. */
const streamed =
  (cut?: 'reset' | 'finish'): Action =>
  async (exchange) => {
    const { params = {} } = exchange.message;
    const { key, ms } = (params['arguments'] ?? {}) as { key?: string; ms?: number };
    const progressToken = (params['_meta'] as JsonObject | undefined)?.['progressToken'];
    const stream = exchange.openStream();
    let progress = 0;
    const timer = setInterval(
      () => {
        progress += 1;
        stream.send(notificationText('notifications/progress', { progressToken, progress, message: key }));
        if (cut !== undefined && progress === 2) {
          if (cut === 'reset') exchange.socket.reset();
          else stream.cut();
        }
      },
      Math.max(10, (ms ?? 0) / 6),
    );
    try {
      const answer = await exchange.execute(exchange.message, stream);
      if (answer !== undefined) stream.send(answer);
      stream.complete();
    } finally {
      clearInterval(timer);
    }
  };

/** Several lines; a request that was cancelled has no answer to spread over them. */
const pretty = changed((answer) => (answer === '' ? '' : JSON.stringify(JSON.parse(answer), null, 2)));

const hasProgress = ({ message }: Exchange): boolean =>
  (message.params?.['_meta'] as JsonObject | undefined)?.['progressToken'] !== undefined;

const well: Weighted<Named> = [
  [6, ['json', normally]],
  [3, ['sse', asSse]],
  [1, ['pretty', pretty]],
  [1, ['late', delayed(150)]],
];

const faults: Weighted<Named> = [
  [3, ['reset before', resetBefore]],
  [3, ['reset after', resetAfter]],
  [2, ['close before', closeBefore]],
  [2, ['half json, reset', halfJson('reset')]],
  [2, ['half json, end', halfJson('finish')]],
  [2, ['half sse, reset', halfSse('reset')]],
  [2, ['half sse, end', halfSse('finish')]],
  [2, ['sse without answer', sseWithoutAnswer]],
  [2, ['429 for 1 s', busy(429, '1')]],
  [2, ['503 for 1 s', busy(503, '1')]],
  [2, ['503', busy(503)]],
  [2, ['502 page', htmlPage(502)]],
  [1, ['500', status(500)]],
  [2, ['hang', hang]],
  [2, ['hang after', hangAfter]],
  [1, ['hang in sse', hangInSse]],
  [2, ['drip', drip(20, 16)]],
  [2, ['invalid json', invalidJson]],
  [1, ['empty 200', emptyOk]],
  [1, ['202', accepted]],
  [2, ['404 session', sessionNotFound]],
];

const resumptions: Weighted<Named> = [
  [3, ['early close', resumable({ retryMs: 50 })]],
  [2, ['early reset', resumable({ retryMs: 50, cut: true })]],
  [1, ['early close, no retry', resumable()]],
];

const streams: Weighted<Named> = [
  [4, ['stream closed half way', streamed('finish')]],
  [4, ['stream reset half way', streamed('reset')]],
];

const listenFaults: Weighted<Named> = [
  [2, ['reset before', resetBefore]],
  [2, ['503', busy(503)]],
  [1, ['hang', hang]],
];

export interface FateOptions {
  readonly seed: number;
  /** The share of requests that something happens to. */
  readonly faultRate: number;
}

export class Fates {
  /** Nothing happens to requests while it is off. */
  isOn = false;
  /** What a session that is not known is told: 404, or the 400 that many services send. */
  unknownSession: 404 | 400 = 404;
  /** What happened to each request, by its nonce, in order. */
  readonly met = new Map<string, string[]>();
  readonly #options: FateOptions;

  constructor(options: FateOptions) {
    this.#options = options;
  }

  /** The one rule of the service's script. */
  readonly action: Action = async (exchange) => {
    const { request, session } = exchange;
    if (request.sessionId !== undefined && session === undefined && request.rpc !== 'initialize') {
      this.#note(this.#nameOf(exchange), `${this.unknownSession} unknown session`);
      return (this.unknownSession === 404 ? sessionNotFound : noValidSession)(exchange);
    }
    const [name, action] = this.#choose(exchange);
    this.#note(this.#nameOf(exchange), name);
    return action(exchange);
  };

  #choose(exchange: Exchange): Named {
    const { request } = exchange;
    const name = this.#nameOf(exchange);
    const nth = this.met.get(name)?.length ?? 0;
    const random = new Random(hash(this.#options.seed, `${name} ${nth}`));
    const isFault = random.chance(this.#options.faultRate) && this.isOn;
    if (request.http === 'GET') return isFault ? random.weighted(listenFaults) : ['listen', normally];
    if (request.http === 'DELETE') return ['delete', normally];
    if (request.messages[0]?.id === undefined || request.rpc === undefined) {
      return isFault && random.chance(0.5) ? ['reset before', resetBefore] : ['taken', normally];
    }
    if (hasProgress(exchange)) {
      if (!isFault) return ['streamed', streamed()];
      return random.weighted([...faults, ...streams]);
    }
    if (!isFault) return random.weighted(well);
    return random.weighted(request.rpc === 'initialize' ? faults : [...faults, ...resumptions]);
  }

  /** What a request is known by: its nonce, else its kind. */
  #nameOf({ request }: Exchange): string {
    if (request.key !== undefined) return request.key;
    const params = request.messages[0]?.params;
    const uri = params?.['uri'];
    if (typeof uri === 'string') return uri;
    const client = (params?.['clientInfo'] as { name?: string } | undefined)?.name;
    return `${request.http} ${request.rpc ?? ''} ${client ?? ''}`.trim();
  }

  #note(name: string, fate: string): void {
    const fates = this.met.get(name);
    if (fates === undefined) this.met.set(name, [fate]);
    else fates.push(fate);
  }
}
