// Faults that meet a request at the service: each request of the load meets it once, at its first try. Where nothing is in
// flight, the health ping does.
import {
  busy,
  drip,
  halfJson,
  halfSse,
  hang,
  hangAfter,
  htmlPage,
  resetAfter,
  resetBefore,
  resumable,
  type Action,
} from '../../support/scripted-service.ts';
import { exactly, upTo, type Fault, type Load } from './fault.ts';
import { firstTries } from './requests.ts';
import { World } from './world.ts';

const PING_SOON = ['--health-interval-ms', '400'];

/** Below the 12 s of BASE_ARGS by what timers are early. */
const DEADLINE = { min: 11_900, max: 13_000 };

/** A load whose replies come as fast as the bridge is. */
const defaults = {
  open: (load: Load) => World.open({ args: load === 'idle' ? PING_SOON : [] }),
  sends: 'during',
  mayHaveRun: true,
  // The stream beside the requests meets nothing.
  streamMayHaveRun: false,
  handshakes: () => exactly(1),
  replyMs: upTo(2500),
  newRequestMs: 1500,
} as const satisfies Partial<Fault>;

function meet(action: Action): Pick<Fault, 'strike'> {
  return {
    async strike({ service }, keys, load) {
      if (load === 'idle') keys.add('ping');
      const rule = service.always(firstTries(keys), action);
      if (load === 'idle') await service.until(() => rule.hits > 0, 10_000);
    },
  };
}

/** Where only one request comes, it is cut off before its body is read; of many, each is known by its body. */
const resetUnread: Pick<Fault, 'strike'> = {
  strike(world, keys, load) {
    if (load === 'one read' || load === 'one write') {
      world.service.once({ http: 'POST', unread: true }, resetBefore);
      return undefined;
    }
    return meet(resetBefore).strike(world, keys, load);
  },
};

/** The service says that it did not run it. */
const refused = { ...defaults, mayHaveRun: false };
/** Retry-After is a second; nobody comes back sooner. */
const refusedForASecond = { ...refused, replyMs: { min: 950, max: 3500 } };
/**
 * Silence: what may be sent twice is, on a connection of its own, once that shows that the service is there. One look at all
 * of them takes 5 s, and what was not silent for long enough by then waits for the next, 5 s later.
 */
const silent = { ...defaults, replyMs: upTo(11_000), unknownMs: DEADLINE };

export const requestFaults: readonly Fault[] = [
  { ...silent, name: 'hang before it ran', ids: 'RT4, RT6, RT7', ...meet(hang) },
  { ...silent, name: 'hang after it ran', ids: 'RT4, RT6, RT7', ...meet(hangAfter) },
  { ...defaults, name: 'reset before the request is read', ids: 'RT3, RT4', ...resetUnread },
  { ...defaults, name: 'reset after it ran', ids: 'RT3, RT4', ...meet(resetAfter) },
  { ...defaults, name: 'reset mid-body', ids: 'RT3, RT4, BR12', ...meet(halfJson('reset')) },
  { ...defaults, name: 'end mid-body', ids: 'RT3, RT4, BR12', ...meet(halfJson('finish')) },
  { ...defaults, name: 'reset mid-SSE', ids: 'RT3, RT4, BR12', ...meet(halfSse('reset')) },
  {
    ...defaults,
    name: 'reset mid-SSE that can be resumed',
    ids: 'BR8, RT4',
    ...meet(resumable({ cut: true, retryMs: 100 })),
    mayHaveRun: false,
  },
  { ...refused, name: '429', ids: 'RT2', ...meet(busy(429)) },
  { ...refusedForASecond, name: '429 with Retry-After', ids: 'RT2', ...meet(busy(429, '1')) },
  { ...refused, name: '503', ids: 'RT2', ...meet(busy(503)) },
  { ...refusedForASecond, name: '503 with Retry-After', ids: 'RT2', ...meet(busy(503, '1')) },
  { ...defaults, name: '502 with an HTML page', ids: 'RT3, RT4, BR12', ...meet(htmlPage(502)) },
  {
    ...defaults,
    name: 'slow drip',
    ids: 'RT6, RT7',
    ...meet(drip(60, 8)),
    mayHaveRun: false,
    replyMs: upTo(9000),
  },
];
