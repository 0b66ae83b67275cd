// A chaos run from its seed to its verdict: calm, then trouble, then calm again. Through a daemon, all clients share it, and it
// is killed now and then as they are.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { daemonLog, daemonsOf, killDaemons } from '../support/daemon-processes.ts';
import { ScriptedService } from '../support/scripted-service.ts';
import { ChaosClient, usageOf, type Usage } from './client.ts';
import { Fates } from './fates.ts';
import { Ledger } from './ledger.ts';
import { pause } from './pause.ts';
import { Random } from './random.ts';
import { runWeather } from './weather.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly clients?: number;
  readonly throughDaemon?: boolean;
}

export interface ChaosReport {
  readonly violations: readonly string[];
  /** The course of the run, for a person who looks for a cause. */
  readonly events: readonly string[];
  readonly errors: readonly string[];
  readonly requests: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly launches: number;
  readonly handshakes: number;
  /** From the end of the trouble until the slowest client was served again. */
  readonly recoveryMs: number;
  /** The most that a bridge had grown by, in MiB, and its open files. */
  readonly growthMiB: number;
  readonly files: number;
}

const CALM_MS = 3000;
/** From here on a handshake may have been silent for so long that another was made beside it, in milliseconds. */
const JOINED_AFTER_MS = 1500;
const RECOVERY_MS = 10_000;
const MAX_GROWTH = 60 * 1024 * 1024;
/** It works for all of them. */
const MAX_DAEMON_GROWTH = 150 * 1024 * 1024;
/** Idle connections are kept for half a minute, and a client has up to forty requests open at once. */
const MAX_FILES = 120;
const FAULT_RATE = 0.12;
/** Of deaths, how many are the daemon's. */
const DAEMON_DEATH_RATE = 0.4;
/** How often a front hands a request to another daemon. */
const MAX_MOVES = 3;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, seconds, clients: count = 8, throughDaemon = false } = options;
  const random = new Random(seed);
  const ledger = new Ledger(throughDaemon ? 1 + MAX_MOVES : 1);
  const fates = new Fates({ seed, faultRate: FAULT_RATE });
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-chaos-'));
  const service = await ScriptedService.start();
  service.always({}, fates.action);
  const clients = Array.from({ length: count }, (_, n) => {
    const name = `client-${n}`;
    return new ChaosClient({
      name,
      url: service.url,
      home: throughDaemon ? home : join(home, name),
      throughDaemon,
      random: random.fork(name),
      ledger,
    });
  });
  const talking = new AbortController();
  const watching = new AbortController();
  try {
    await Promise.all(clients.map((client) => client.launch()));
    const background = [
      ...clients.map((client) => client.talk(talking.signal)),
      ...clients.map((client) => client.watch(watching.signal)),
    ];
    await pause(CALM_MS);
    const daemonUsage = (): (Usage | undefined)[] => daemonsOf(home).map(usageOf);
    const before = clients.map((client) => client.usage()?.memory ?? 0);
    const daemonBefore = Math.max(0, ...daemonUsage().map((usage) => usage?.memory ?? 0));

    const trouble = new AbortController();
    const note = (what: string): void => ledger.note(what);
    fates.isOn = true;
    const storm = [
      runWeather({ service, fates, random: random.fork('weather'), note }, trouble.signal),
      runDeaths(clients, random.fork('deaths'), trouble.signal, async () => {
        if (!throughDaemon) return false;
        note('the daemon is killed');
        await killDaemons(home);
        return true;
      }),
    ];
    await pause(seconds * 1000);
    fates.isOn = false;
    trouble.abort();
    await Promise.all(storm);
    ledger.note('trouble is over');

    const recoveryMs = await recover(clients, ledger);
    talking.abort();
    await untilNothingIsOpen(clients);
    if (throughDaemon) await expectOneHandshakeForAll(service, clients, ledger, home);
    else await expectOneHandshakeEach(service, clients, ledger);
    // Longer than any deadline: whatever hangs is found, and whatever runs late has run.
    await pause(1000);
    await untilNothingIsOpen(clients);
    const growthNow = (): number =>
      Math.max(...clients.map((client, n) => (client.usage()?.memory ?? 0) - before[n]!));
    // A bridge gives memory back once it has been quiet for a while.
    for (let n = 0; n < 20 && growthNow() > MAX_GROWTH; n += 1) await pause(500);
    const growth = growthNow();
    const usages = clients.map((client) => client.usage());
    const files = Math.max(...usages.map((usage) => usage?.files ?? 0));
    if (growth > MAX_GROWTH) ledger.violation(`a bridge has grown by ${growth} bytes`);
    if (files > MAX_FILES) ledger.violation(`a bridge keeps ${files} files open`);
    const daemons = daemonUsage();
    const wanted = clients.every(({ bridgesAlone }) => bridgesAlone)
      ? daemons.length <= 1
      : daemons.length === 1;
    if (throughDaemon && !wanted) ledger.violation(`there are ${daemons.length} daemons`);
    for (const usage of daemons) {
      const grown = (usage?.memory ?? 0) - daemonBefore;
      if (grown > MAX_DAEMON_GROWTH) ledger.violation(`the daemon has grown by ${grown} bytes`);
      if ((usage?.files ?? 0) > count * MAX_FILES)
        ledger.violation(`the daemon keeps ${usage?.files} files open`);
    }
    await Promise.all(clients.map((client, n) => client.end(n % 2 === 0 ? 'SIGTERM' : 'stdin')));
    watching.abort();
    await Promise.all(background);
    ledger.settle(service.record.executions, fates.met);
    return {
      violations: ledger.violations,
      events: ledger.events,
      errors: ledger.errors,
      requests: ledger.asked.length,
      endings: ledger.endings(),
      launches: clients.reduce((sum, { lives }) => sum + lives, 0),
      handshakes: service.record.of('initialize').length,
      recoveryMs,
      growthMiB: Math.round(growth / 1024 / 1024),
      files,
    };
  } finally {
    talking.abort();
    watching.abort();
    await Promise.allSettled(clients.map((client) => client.settled()));
    await Promise.allSettled(clients.map((client) => client.end('SIGKILL')));
    service.clearScript();
    await service.close();
    await killDaemons(home);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a bridge now and then, mid-work, and launches it again; or the daemon, which nobody launches but they. */
async function runDeaths(
  clients: readonly ChaosClient[],
  random: Random,
  signal: AbortSignal,
  killDaemon: () => Promise<boolean>,
): Promise<void> {
  const relaunches: Promise<void>[] = [];
  while (!signal.aborted) {
    await pause(random.int(1500, 5000), signal);
    const client = random.pick(clients);
    const how = random.pick(['SIGKILL', 'SIGKILL', 'SIGTERM', 'stdin'] as const);
    const afterMs = random.int(0, 500);
    const isDaemon = random.chance(DAEMON_DEATH_RATE);
    if (!signal.aborted && isDaemon && (await killDaemon())) continue;
    if (!signal.aborted) relaunches.push(client.relaunch(how, afterMs));
  }
  await Promise.all(relaunches);
}

/** Waits until each client is served again, reads and writes, several times in a row. */
async function recover(clients: readonly ChaosClient[], ledger: Ledger): Promise<number> {
  const from = ledger.now();
  const took = await Promise.all(
    clients.map(async (client) => {
      let inRow = 0;
      let servedAt = 0;
      while (inRow < 6 && ledger.fairlySince(from) < RECOVERY_MS) {
        const asked = await client.askAndWait(inRow % 2 === 0 ? 'read' : 'write');
        if (asked?.ending.kind === 'result') {
          inRow += 1;
          if (inRow === 1) servedAt = ledger.now() - from;
        } else inRow = 0;
        await pause(100);
      }
      if (inRow < 6) ledger.violation(`${client.name} is not served ${RECOVERY_MS} ms after the trouble`);
      return servedAt;
    }),
  );
  return Math.round(Math.max(...took));
}

/** A request that still runs on the per-request route may make a handshake of its own. */
async function untilNothingIsOpen(clients: readonly ChaosClient[]): Promise<void> {
  while (clients.some(({ openCount }) => openCount > 0)) await pause(100);
}

/** Requests that lose the session together cause one handshake (SE4), also after all that was. */
async function expectOneHandshakeEach(
  service: ScriptedService,
  clients: readonly ChaosClient[],
  ledger: Ledger,
): Promise<void> {
  await Promise.all(clients.flatMap((client) => (client.isUp ? [client.askAndWait('read')] : [])));
  const before = clients.map((client) => client.routes);
  const seen = service.record.requests.length;
  const lostAt = ledger.now();
  service.forgetSessions();
  await Promise.all(clients.flatMap((client) => Array.from({ length: 10 }, () => client.askAndWait('read'))));
  await pause(200);
  // A bridge that has met too many losses makes a session for each request, as it should.
  const routed = clients.filter((client, n) => {
    const isNew = client.routes.slice(before[n]!.length).includes('per-request');
    return before[n]!.at(-1) !== 'per-request' && !isNew;
  });
  const after = service.record.requests.slice(seen).filter(({ rpc }) => rpc === 'initialize');
  ledger.note(`${after.length} handshakes of ${routed.length} clients after a last loss of sessions`);
  for (const { name } of routed) {
    const made = after.filter(({ text }) => text.includes(`"${name}"`)).length;
    // One that stays silent for long is joined by another.
    const isSlow = ledger.now() - lostAt > JOINED_AFTER_MS;
    if (made > 1 && !isSlow) ledger.violation(`${name} made ${made} handshakes for one loss of the session`);
  }
}

/** The same for all clients of one daemon, who share a session; a front without one has its own. */
async function expectOneHandshakeForAll(
  service: ScriptedService,
  clients: readonly ChaosClient[],
  ledger: Ledger,
  home: string,
): Promise<void> {
  const askAll = (times: number): Promise<unknown> =>
    Promise.all(clients.flatMap((client) => Array.from({ length: times }, () => client.askAndWait('read'))));
  const isPerRequest = (): boolean =>
    clients.some((client) => client.routes.at(-1) === 'per-request') ||
    (daemonLog(home)
      .match(/session\.route .*/g)
      ?.at(-1)
      ?.includes('per-request') ??
      false);
  await askAll(1);
  const wasPerRequest = isPerRequest();
  const seen = service.record.requests.length;
  const lostAt = ledger.now();
  service.forgetSessions();
  await askAll(10);
  await pause(200);
  const made = service.record.requests.slice(seen).filter(({ rpc }) => rpc === 'initialize').length;
  const alone = clients.filter(({ bridgesAlone }) => bridgesAlone).length;
  ledger.note(
    `${made} handshakes after a last loss of sessions, by the daemon and ${alone} fronts without one`,
  );
  // One that stays silent for long is joined by another.
  const isSlow = ledger.now() - lostAt > JOINED_AFTER_MS;
  if (made > 1 + alone && !isSlow && !wasPerRequest && !isPerRequest())
    ledger.violation(`${made} handshakes for one loss of the session, with ${alone} fronts without a daemon`);
}
