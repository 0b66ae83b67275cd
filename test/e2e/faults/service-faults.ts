// Faults of the service or the path to it as a whole, which last for a while.
import {
  noValidSession,
  sessionNotFound,
  status,
  type Action,
  type Rule,
} from '../../support/scripted-service.ts';
import { exactly, upTo, type Fault } from './fault.ts';
import { World } from './world.ts';

const defaults = {
  open: () => World.open(),
  sends: 'during',
  lastsMs: 700,
  mayHaveRun: false,
  streamMayHaveRun: false,
  handshakes: () => exactly(1),
  // "As soon as it is back": nobody waits for a long backoff.
  replyMs: upTo(5000),
  newRequestMs: 5000,
} as const satisfies Partial<Fault>;

/** Time in which the bridge reads what came of its sockets. */
const NOTICED_MS = 60;
const noticed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, NOTICED_MS));

/** The first session's id, which the service answers from now on as one that it does not know. */
function forget(world: World, answer: Action): void {
  const { service } = world;
  const old = service.record.requests.find(({ sessionId }) => sessionId !== undefined)?.sessionId;
  service.always({ when: ({ sessionId }) => sessionId === old }, answer);
  service.forgetSessions();
}

const lost = { ...defaults, lastsMs: 300, handshakes: () => exactly(2) };

/** Requests do not notice it. */
const beside = { ...defaults, isBeside: true, replyMs: upTo(1000) };

const rules = new WeakMap<World, Rule>();
const intervals = new WeakMap<World, NodeJS.Timeout>();

export const serviceFaults: readonly Fault[] = [
  {
    ...defaults,
    name: 'black hole',
    newRequestMs: 2000,
    ids: 'RT4, RT6, SE3',
    open: () => World.open({ args: ['--tool-timeout-ms', '20000', '--request-timeout-ms', '20000'] }),
    lastsMs: 6000,
    strike: ({ service }) => service.blackHole('silent'),
    // What was silent stays so, as after a NAT time-out: only new connections carry.
    heal: ({ service }) => service.heal('silent'),
    mayHaveRun: true,
    streamMayHaveRun: true,
    replyMs: upTo(10_000),
    unknownMs: { min: 12_000, max: 15_000 },
  },
  {
    ...defaults,
    name: 'connections refused',
    ids: 'RT1, FB3',
    async strike({ service }) {
      service.stop({ keepSessions: true });
      await noticed();
    },
    heal: (world) => world.comeBack(),
  },
  {
    ...defaults,
    name: 'all connections reset',
    ids: 'RT3, RT4, BR8',
    sends: 'before',
    lastsMs: 0,
    strike: ({ service }) => service.cutAll(),
    mayHaveRun: true,
  },
  {
    ...defaults,
    name: 'restart with sessions lost',
    ids: 'SE4, RT4',
    sends: 'before',
    strike: ({ service }) => service.stop(),
    heal: (world) => world.comeBack(),
    mayHaveRun: true,
    streamMayHaveRun: true,
    handshakes: () => exactly(2),
  },
  {
    ...lost,
    name: '404 for the session',
    ids: 'SE4, RT2',
    strike: (world) => forget(world, sessionNotFound),
  },
  {
    ...lost,
    name: '400 "no valid session"',
    ids: 'SE4, RT2',
    strike: (world) => forget(world, noValidSession),
  },
  {
    ...defaults,
    name: 'sessions that vanish every 150 ms',
    ids: 'FB1, FB2, SE4',
    lastsMs: 2500,
    strike(world) {
      intervals.set(
        world,
        setInterval(() => world.service.forgetSessions(), 150),
      );
    },
    heal: (world) => clearInterval(intervals.get(world)),
    // The slower the machine, the more sessions vanish under one request.
    handshakes: (load) => ({ min: 2, max: load === '50 mixed' ? 250 : 40 }),
  },
  {
    ...beside,
    name: 'GET stream cut',
    ids: 'SE6',
    strike: ({ service }) => service.cutGetStreams(),
  },
  {
    ...beside,
    name: 'GET stream refused',
    ids: 'SE6',
    lastsMs: 2000,
    strike(world) {
      const { service } = world;
      rules.set(world, service.always({ http: 'GET' }, status(503)));
      service.cutGetStreams();
    },
    async heal(world) {
      const { service } = world;
      rules.get(world)?.remove();
      await service.until(() => service.openGetStreams === 1, 15_000);
    },
  },
  {
    ...beside,
    name: 'GET stream away for 10 s',
    ids: 'SE6',
    open: () => World.open({ args: ['--tool-timeout-ms', '60000'] }),
    lastsMs: 10_000,
    strike(world) {
      const { service } = world;
      rules.set(
        world,
        service.always({ http: 'GET' }, (exchange) => exchange.socket.reset()),
      );
      service.cutGetStreams();
    },
    async heal(world) {
      const { service, bridge } = world;
      rules.get(world)?.remove();
      await service.until(() => service.openGetStreams === 1, 35_000);
      service.notify('notifications/message', { level: 'info', data: 'heard again' });
      await bridge.next(({ params }) => params?.['data'] === 'heard again');
    },
  },
];
