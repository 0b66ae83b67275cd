// Faults that are there when the bridge is launched, and those that need something in between: a name or a certificate.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BridgeProcess } from '../../support/bridge-process.ts';
import { NameFault } from '../../support/name-fault.ts';
import type { ScriptedService } from '../../support/scripted-service.ts';
import { TlsFront } from '../../support/tls-front.ts';
import { exactly, upTo, type Fault } from './fault.ts';
import { World } from './world.ts';

const defaults = {
  sends: 'during',
  lastsMs: 900,
  mayHaveRun: false,
  streamMayHaveRun: false,
  handshakes: () => exactly(1),
  replyMs: upTo(5000),
  newRequestMs: 5000,
} as const satisfies Partial<Fault>;

const fronts = new WeakMap<World, TlsFront>();
const names = new WeakMap<World, NameFault>();

async function behindTls(): Promise<World> {
  const { certificate } = TlsFront;
  let front: TlsFront | undefined;
  const world = await World.open({
    launch: { env: { NODE_EXTRA_CA_CERTS: certificate() } },
    target: async (service) => {
      front = await TlsFront.start(service.origin);
      return { url: `${front.origin}/mcp`, close: () => front!.close() };
    },
  });
  fronts.set(world, front!);
  return world;
}

async function behindName(): Promise<World> {
  const name = await NameFault.create();
  const world = await World.open({
    args: ['--allow-http'],
    launch: { env: name.env },
    target: (service) =>
      Promise.resolve({
        url: service.url.replace('127.0.0.1', NameFault.host),
        close: () => name.remove(),
      }),
  });
  names.set(world, name);
  return world;
}

const goAway = (service: ScriptedService): Promise<void> => {
  service.stop();
  return Promise.resolve();
};

/** A home in which the service's answers are known from an earlier launch. */
async function knownHome(service: ScriptedService): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'mcp-bridge-known-'));
  await using bridge = await BridgeProcess.launch(service.url, { home });
  await bridge.initialize();
  await bridge.request('tools/list');
  await bridge.close();
  return home;
}

async function downAndKnown(): Promise<World> {
  let home = '';
  const launch = { get home() { return home; } }; // prettier-ignore
  return World.open({
    launch,
    isDown: true,
    prepare: async (service) => {
      home = await knownHome(service);
      await goAway(service);
    },
    target: (service) =>
      Promise.resolve({ url: service.url, close: () => rm(home, { recursive: true, force: true }) }),
  });
}

const downAtLaunch = {
  ...defaults,
  isAtLaunch: true,
  strike: () => {},
  heal: (world: World) => world.comeBack(),
};

export const launchFaults: readonly Fault[] = [
  {
    ...defaults,
    name: 'DNS failure',
    ids: 'RT1, FB3',
    open: behindName,
    async strike(world) {
      await names.get(world)!.fail();
      world.service.cutAll();
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
    heal: (world) => names.get(world)!.heal(),
  },
  {
    ...defaults,
    name: 'TLS failure',
    ids: 'RT1, FB3',
    needs: ['openssl'],
    open: behindTls,
    async strike(world) {
      fronts.get(world)!.present('stranger');
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
    heal: (world) => fronts.get(world)!.present('own'),
  },
  {
    ...downAtLaunch,
    name: 'service down at launch, nothing known of it',
    ids: 'HS2, RT1',
    open: () => World.open({ prepare: goAway, isDown: true, args: ['--initialize-timeout-ms', '1500'] }),
  },
  {
    ...downAtLaunch,
    name: 'service down at launch, known from before',
    ids: 'HS1, HS2, RT1',
    open: downAndKnown,
    handshakes: () => exactly(2),
  },
];
