// `mcp-bridge login`: signs in to a service, and keeps what came of it. Owns the order of things and what the person reads; the ways
// to sign in are src/auth/.

import { asAuthError } from '../auth/refusal.ts';
import { scopesWantedBeyond } from '../auth/acceptance.ts';
import { discover, type Discovered } from '../auth/discovery.ts';
import { hasScreen } from '../auth/screen.ts';
import { chooseScope, stepUpScope } from '../auth/scopes.ts';
import type { SignIn } from '../auth/sign-in.ts';
import { openStore } from '../auth/store/open-store.ts';
import type { SignInStore, StoreResult } from '../auth/store/store.ts';
import { isHeaderSafe } from '../auth/token-request.ts';
import type { SignedIn } from '../auth/flow.ts';
import { textOf, UsageError, type Arguments, type CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { signInBy } from './sign-in/flows.ts';
import { untilInterrupted } from './sign-in/interrupt.ts';
import { askSecret } from './sign-in/secret.ts';
import { targetOf, type SignInTarget } from './sign-in/target.ts';
import { askedWay, chooseWay } from './sign-in/way.ts';

export async function run(args: Arguments, context: CommandContext): Promise<number> {
  const asked = askedWay(args);
  return untilInterrupted(async (signal) => {
    const target = targetOf(args, context, signal);
    const { paths, env, stderr } = context;
    const insecure = args.options['insecure-storage'] === true ? { insecure: true } : {};
    const store = openStore(paths, env, insecure);
    try {
      if (asked === 'token') return await keepToken(target, store, context, signal);
      return await signIn(args, context, target, store, signal);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const { code, message, remedy } = error instanceof StoreError ? error : asAuthError(error);
      stderr.write(`Not signed in to ${target.name}. ${message} ${remedy} (${code})\n`);
      return EXIT.degraded;
    }
  });
}

async function signIn(
  args: Arguments,
  context: CommandContext,
  target: SignInTarget,
  store: SignInStore,
  signal: AbortSignal,
): Promise<number> {
  const { stdout, env } = context;
  const { name, service, headers } = target;
  const found = await discover(service, headers, target);
  if (found.kind === 'not-needed') {
    stdout.write(`${name} takes requests without a sign-in; there is nothing to do.\n`);
    return EXIT.ok;
  }
  // Before the person takes the trouble.
  valueOf(await store.check(target.key));
  const way = chooseWay(askedWay(args), {
    hasScreen: hasScreen(env, process.platform),
    hasDeviceFlow: found.metadata.device_authorization_endpoint !== undefined,
  });
  const wanted: string[] = [];
  const settle = async ({ signIn: kept, access }: SignedIn): Promise<void> => {
    const more = stepUpScope(kept.scope, await scopesWantedBeyond(access.token, target));
    if (more !== undefined) wanted.push(more);
    await keep(store, target, kept);
  };
  const wish = textOf(args.options['scope']) ?? store.note(target.key)?.wantedScope;
  let scope = chooseScope({ wanted: wish, ...found.scopes });
  for (let round = 0; ; round += 1) {
    const parts = { args, context, target, discovered: found, scope, signal, settle };
    await signInBy(way, parts);
    // One step up: a service that asks again for more is not asked for ever.
    const needed = wanted.pop();
    if (needed === undefined || round > 0) break;
    scope = needed;
    stdout.write(`The service asks for more than that: ${needed}. Signing in for all of it …\n`);
  }
  announce(context, target, found);
  return EXIT.ok;
}

function announce({ stdout }: CommandContext, { name }: SignInTarget, { resourceName }: Discovered): void {
  const what = resourceName === undefined ? name : `${resourceName} (${name})`;
  stdout.write(`Signed in to ${what}. Bridges that are running take it up by themselves.\n`);
}

async function keepToken(
  target: SignInTarget,
  store: SignInStore,
  { stdout }: CommandContext,
  signal: AbortSignal,
): Promise<number> {
  valueOf(await store.check(target.key));
  const token = await askSecret('token', signal);
  if (!isHeaderSafe(token))
    throw new UsageError('That is no token: it holds spaces, line breaks or letters that none has.');
  await scopesWantedBeyond(token, target);
  await keep(store, target, { kind: 'token', token });
  stdout.write(`The token for ${target.name} is kept. Bridges that are running take it up by themselves.\n`);
  return EXIT.ok;
}

async function keep(store: SignInStore, { key }: SignInTarget, kept: SignIn): Promise<void> {
  valueOf(await store.save(key, kept));
}

class StoreError extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor({ code, message, remedy }: Extract<StoreResult<unknown>, { kind: 'failed' }>) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

function valueOf<T>(result: StoreResult<T>): T {
  if (result.kind === 'failed') throw new StoreError(result);
  return result.value;
}
