// The doctor's walk: each step in its turn, timed, and what cannot be looked at because of an earlier failure left out.

import { openStore } from '../../auth/store/open-store.ts';
import { TokenSources } from '../../auth/token-sources.ts';
import { profileNamesIn, profileUrl, readLayers } from '../../config/layers.ts';
import { ConfigError, resolveRun, type Profile, type Resolved } from '../../config/resolve.ts';
import { isThisMachine, proxyFor, shownProxy } from '../../platform/network/network.ts';
import { systemRng } from '../../platform/random.ts';
import type { CommandContext } from '../command.ts';
import { CLIENTS } from '../../setup/clients.ts';
import { writtenEntries, type WrittenEntry } from '../../setup/record.ts';
import { thisMachine } from '../setup/machine.ts';
import { examineClientConfig, type LostEntry } from './client-config.ts';
import { connect, encrypt, endpointOf, lookUp } from './network.ts';
import { askHttp, ServiceExamination } from './service.ts';
import {
  failed,
  ok,
  skipped,
  STEPS,
  type Examination,
  type StepName,
  type StepResult,
  type Verdict,
} from './step.ts';

export interface ExamineOptions {
  /** As for `run`. */
  readonly flags?: Readonly<Record<string, string | boolean>>;
  /** Whether to look into the clients' configuration as well. */
  readonly withClients?: boolean;
}

/** Looks at one service. @param onStep hears of each step as it ends */
export async function examine(
  target: string,
  context: CommandContext,
  onStep: (result: StepResult) => void,
  { flags = {}, withClients = true }: ExamineOptions = {},
): Promise<Examination> {
  const { clock, env, paths } = context;
  const steps: StepResult[] = [];
  const add = async (step: StepName, look: () => Verdict | Promise<Verdict>): Promise<Verdict> => {
    const startedAt = clock.now();
    const verdict = await look();
    const result = { step, ms: clock.now() - startedAt, ...verdict };
    steps.push(result);
    onStep(result);
    return verdict;
  };

  let lost: readonly LostEntry[] = [];
  let resolved: Resolved | undefined;
  await add('config', () => {
    try {
      resolved = resolveRun({ target, flags, headers: [] }, env, paths);
      const isUrl = target.includes('://');
      const where = isUrl ? 'a URL, which needs no profile' : `profile "${target}" in ${paths.configFile}`;
      return ok(`${where}${wayOf(resolved.profile)}`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return failed(
        error.message,
        'Correct it, then run this again; docs/configuration.md lists what there is.',
      );
    }
  });
  if (resolved !== undefined) await walk(resolved, context, add);
  for (const step of STEPS.slice(0, -1)) {
    if (!steps.some((done) => done.step === step))
      await add(step, () => skipped('a step before it has failed'));
  }
  const url = resolved?.profile.url.href ?? null;
  if (withClients)
    await add('client config', () => {
      const places = CLIENTS['claude-desktop'].places(thisMachine({ env }));
      const names = [target, ...namesOf(context, url)];
      const written = writtenFor(context, names);
      const examined = examineClientConfig({ places, names, written, shown: shownTarget(target) });
      ({ lost } = examined);
      return examined.verdict;
    });
  return {
    target: shownTarget(target),
    url: resolved === undefined ? null : shown(resolved.profile.url),
    steps,
    lost,
  };
}

/** What set-up has noted for this service. */
function writtenFor({ paths }: Pick<CommandContext, 'paths'>, names: readonly string[]): WrittenEntry[] {
  try {
    return writtenEntries(paths).filter(({ name }) => names.includes(name));
  } catch (error) {
    // Its own damage is no trouble of the service's.
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** The other names of the same service: its URL, and profiles with that URL. */
function namesOf({ paths }: Pick<CommandContext, 'paths'>, url: string | null): string[] {
  if (url === null) return [];
  try {
    const layers = readLayers(paths);
    return [url, ...profileNamesIn(layers).filter((name) => profileUrl(layers, name) === url)];
  } catch (error) {
    if (error instanceof ConfigError) return [url];
    throw error;
  }
}

/** The steps on the way to the service, up to the first that fails. */
async function walk(
  { profile, settings }: Resolved,
  { clock, paths, env }: CommandContext,
  add: (step: StepName, look: () => Verdict | Promise<Verdict>) => Promise<Verdict>,
): Promise<void> {
  const { url, network } = profile;
  const proxy = network === undefined ? undefined : proxyFor(url, network);
  const endpoint = endpointOf(new URL(proxy ?? url), proxy !== undefined);
  const within = async (
    limitMs: number,
    look: (signal: AbortSignal) => Promise<Verdict>,
  ): Promise<Verdict> => {
    const limit = new AbortController();
    const timer = clock.after(limitMs, () => limit.abort({ kind: 'deadline' }));
    const silence = new Promise<Verdict>((resolve) => {
      limit.signal.addEventListener('abort', () => {
        // The look hears of it first, and knows better what to say.
        clock.after(500, () =>
          resolve(failed(`nothing came within ${limitMs} ms`, 'Check the network, then try again.')),
        );
      });
    });
    const verdict = await Promise.race([look(limit.signal), silence]);
    timer.cancel();
    return verdict;
  };
  const { connectTimeoutMs, requestTimeoutMs } = settings;
  const lower: readonly (readonly [StepName, (signal: AbortSignal) => Promise<Verdict>, number])[] = [
    ['DNS', () => lookUp(endpoint), connectTimeoutMs],
    ['TCP', (signal) => connect(endpoint, signal), connectTimeoutMs],
    ['TLS', (signal) => encrypt(profile, settings, clock.wallTime(), signal), 2 * connectTimeoutMs],
    ['HTTP', (signal) => askHttp(profile, settings, signal), requestTimeoutMs],
  ];
  for (const [step, look, limitMs] of lower) {
    if ((await add(step, () => within(limitMs, look))).kind === 'failed') return;
  }
  const signIns = new TokenSources({ paths, store: openStore(paths, env), clock, rng: systemRng });
  const credentials = signIns.sourceFor(profile, settings, () => {});
  const service = new ServiceExamination(profile, settings, clock, credentials);
  try {
    const limitMs = settings.initializeTimeoutMs + connectTimeoutMs;
    const { kind } = await add('handshake', () => within(limitMs, (signal) => service.handshake(signal)));
    if (kind === 'ok')
      await add('session reuse', () => within(requestTimeoutMs, (signal) => service.reuse(signal)));
    else await add('session reuse', () => skipped('there is no session to use again'));
    if (kind === 'ok' || service.code === 'ERR_AUTH_REQUIRED') await add('sign-in', () => service.signIn());
  } finally {
    await service.close();
    // A refresh token that was used may never be used again, so what came in its place has to be kept.
    const limit = new AbortController();
    const timer = clock.after(connectTimeoutMs, () => limit.abort());
    await signIns.close(limit.signal);
    timer.cancel();
  }
}

/** What is special about the way to the service. */
function wayOf({ url, network }: Profile): string {
  if (network === undefined) return '';
  const { caFiles, clientCert, noProxy } = network;
  const proxy = proxyFor(url, network);
  const hasProxy = (url.protocol === 'https:' ? network.httpsProxy : network.httpProxy) !== undefined;
  const isNamed = hasProxy && !isThisMachine(url.hostname);
  const spared = isNamed
    ? `no proxy, for NO_PROXY is ${JSON.stringify(noProxy)}`
    : 'no proxy, for it is this machine';
  return [
    ...(proxy === undefined ? (hasProxy ? [spared] : []) : [`through the proxy ${shownProxy(proxy)}`]),
    ...(caFiles.length === 0 ? [] : [`trusting ${caFiles.join(' and ')} too`]),
    ...(clientCert === undefined ? [] : [`with the certificate ${clientCert}`]),
  ]
    .map((part) => `; ${part}`)
    .join('');
}

/** Without what may be a secret: the query, a user name, a password. */
export function shownTarget(target: string): string {
  return target.replace(/\?.*$/, '').replace(/\/\/[^/]*@/, '//');
}

function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
