// What happens to the service as a whole, one trouble after the other: drawn from the seed, with its times.
import type { ScriptedService } from '../support/scripted-service.ts';
import type { Fates } from './fates.ts';
import type { Random } from './random.ts';
import { pause } from './pause.ts';

export interface WeatherParts {
  readonly service: ScriptedService;
  readonly fates: Fates;
  readonly random: Random;
  /** Told of each trouble as it begins. */
  readonly note: (what: string) => void;
}

type Trouble = (parts: WeatherParts, signal: AbortSignal) => Promise<void> | void;

const cut: Trouble = ({ service, note }) => {
  note('all sockets reset');
  service.cutAll();
};

const forget: Trouble = ({ service, note }) => {
  note('sessions forgotten');
  service.forgetSessions();
};

const forgetOften: Trouble = async ({ service, random, note }, signal) => {
  const times = random.int(3, 6);
  const everyMs = random.int(100, 400);
  note(`sessions forgotten ${times} times, every ${everyMs} ms`);
  for (let n = 0; n < times && !signal.aborted; n += 1) {
    service.forgetSessions();
    await pause(everyMs, signal);
  }
};

const restart: Trouble = async ({ service, random, note }, signal) => {
  const downMs = random.int(100, 3000);
  const keepSessions = random.chance(0.3);
  note(`restart, ${downMs} ms, sessions ${keepSessions ? 'kept' : 'lost'}`);
  service.stop({ keepSessions });
  await pause(downMs, signal);
  await service.comeBack();
};

const blackHole: Trouble = async ({ service, random, note }, signal) => {
  const ms = random.int(500, 4000);
  const welcome = random.pick(['serve', 'silent', 'silent', 'reset'] as const);
  const after = random.pick(['resume', 'reset', 'silent'] as const);
  note(`black hole, ${ms} ms; new connections: ${welcome}; then old ones: ${after}`);
  service.blackHole(welcome);
  await pause(ms, signal);
  service.heal(after);
};

const refuseNew: Trouble = async ({ service, random, note }, signal) => {
  const ms = random.int(200, 1000);
  note(`new connections reset, ${ms} ms`);
  service.welcome('reset');
  service.cutAll();
  await pause(ms, signal);
  service.welcome('serve');
};

const cutListening: Trouble = ({ service, note }) => {
  note('GET streams cut');
  service.cutGetStreams();
};

const changeTools: Trouble = ({ service, note }) => {
  note('tools/list_changed');
  service.notify('notifications/tools/list_changed');
};

const changeRefusal: Trouble = ({ fates, note }) => {
  fates.unknownSession = fates.unknownSession === 404 ? 400 : 404;
  note(`unknown sessions get ${fates.unknownSession}`);
};

/** Runs until `signal` aborts, and leaves the service well. */
export async function runWeather(parts: WeatherParts, signal: AbortSignal): Promise<void> {
  const { service, random } = parts;
  while (!signal.aborted) {
    await pause(random.int(200, 1800), signal);
    if (signal.aborted) break;
    const trouble = random.weighted<Trouble>([
      [3, cut],
      [3, forget],
      [1, forgetOften],
      [3, restart],
      [3, blackHole],
      [1, refuseNew],
      [1, cutListening],
      [1, changeTools],
      [1, changeRefusal],
    ]);
    await trouble(parts, signal);
  }
  service.heal('resume');
}
