// `mcp-bridge setup`: from a URL to a client that uses the service, in one step: checks the service, signs in, saves the profile, writes
// the entry, and proves it. Owns the order of things and what the person reads.

import { confirm, isCancel } from '@clack/prompts';
import { profileUrl, readLayers } from '../config/layers.ts';
import { ConfigError } from '../config/resolve.ts';
import { planConfig, profileChanges, writeChanges } from '../config/user-config.ts';
import { CLIENTS, usedPlaces, type ClientId } from '../setup/clients.ts';
import { entriesIn } from '../setup/client-file.ts';
import { bridgedBy, entryFor } from '../setup/entry.ts';
import { textOf, UsageError, type Arguments, type CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { checkService, signIn } from './setup/service.ts';
import { planEntry } from './setup/entries.ts';
import { thisMachine, thisProgram } from './setup/machine.ts';
import { proveAll, reloads } from './setup/prove.ts';
import { removeSetup } from './setup/remove.ts';
import { Reporter } from './setup/reporter.ts';
import { writeAll, type Planned } from './setup/write.ts';
import { Cancelled, clientsOf, findWishes, type Wishes } from './setup/wishes.ts';

export async function run(args: Arguments, context: CommandContext): Promise<number> {
  const { stdout } = context;
  try {
    if (args.options['remove'] === true) return await remove(args, context);
    return await setUp(args, context);
  } catch (error) {
    if (error instanceof Cancelled) {
      stdout.write('Nothing was changed.\n');
      return EXIT.degraded;
    }
    if (!(error instanceof ConfigError)) throw error;
    context.stderr.write(`mcp-bridge: ${error.message}\n`);
    return EXIT.degraded;
  }
}

async function setUp(args: Arguments, context: CommandContext): Promise<number> {
  const { options } = args;
  const machine = thisMachine(context);
  const isTerminal = hasPerson(context);
  const wishes = await findWishes(args, {
    context,
    machine,
    isTerminal,
    isForeign: (name, clients) =>
      clients.some((id) =>
        usedPlaces(CLIENTS[id], machine).some((file) => {
          const entry = entriesIn(file, CLIENTS[id])[name];
          return entry !== undefined && bridgedBy(entry) === undefined;
        }),
      ),
  });
  const reporter = new Reporter(context);
  const { plans, changes } = plan(wishes, context);
  const changed = plans.filter(({ plan: { written } }) => written !== 'same');
  if (options['dry-run'] === true) {
    reporter.showDiffs([
      ...(changes === undefined
        ? []
        : [{ file: context.paths.configFile, ...planConfig(context.paths, changes) }]),
      ...plans.map(({ plan: each }) => each),
    ]);
    return EXIT.ok;
  }
  const titles = wishes.clients.map((id) => CLIENTS[id].title).join(', ');
  if (args.words[0] === undefined) reporter.say('');
  reporter.title(`mcp-bridge setup: "${wishes.name}" for ${titles}`);
  let isSignedIn = true;
  if (options['no-check'] !== true) {
    const found = await checkService(wishes, context, reporter);
    if (found === 'failed')
      return reporter.end(
        'failed',
        'Nothing was changed: the service must be reached first. --no-check sets up all the same.',
      );
    if (found === 'sign-in')
      isSignedIn = isTerminal && (await signIn(wishes, context, options['insecure-storage'] === true));
  }
  const isSure = options['yes'] === true || !isTerminal || (changed.length === 0 && changes === undefined);
  if (!isSure) {
    const config = changes === undefined ? [] : [context.paths.configFile];
    await confirmed(`Write ${[...config, ...changed.map(({ plan: { file } }) => file)].join(' and ')}?`);
  }
  if (changes !== undefined) {
    const before = profileUrl(readLayers(context.paths), wishes.name)?.replace(/\?.*$/, '');
    const written = writeChanges(context.paths, changes);
    const moved = before === undefined || written === 'same' ? '' : `; before, it went to ${before}`;
    reporter.step(
      written === 'same' ? 'same' : 'ok',
      'profile',
      `"${wishes.name}" in ${context.paths.configFile}${moved}`,
    );
  }
  await writeAll(plans, wishes.name, context, reporter);
  if (options['no-check'] === true)
    return reporter.end(
      'ok',
      `Written, and not tried: \`mcp-bridge doctor ${wishes.name}\` does that. ${reloads(wishes)}`,
    );
  return proveAll(
    plans.map(({ plan: each }) => each),
    wishes,
    { reporter, isSignedIn },
  );
}

/** @throws ConfigError where a file is not understood, before anything is written */
function plan(
  { name, url, allowHttp, clients }: Wishes,
  context: CommandContext,
): { plans: Planned[]; changes: ReturnType<typeof profileChanges> | undefined } {
  const machine = thisMachine(context);
  const plans = clients.flatMap((id: ClientId) => {
    const client = CLIENTS[id];
    const entry = entryFor(thisProgram(context), name, context.env, client);
    return usedPlaces(client, machine).map((file) => ({ plan: planEntry(client, file, name, entry), entry }));
  });
  const foreign = plans.find(({ plan: { isForeign } }) => isForeign)?.plan;
  if (foreign !== undefined) {
    throw new ConfigError(
      `${foreign.file} has an entry "${name}" that launches something else. It was not changed. Give another name with --name.`,
    );
  }
  if (url === undefined) return { plans, changes: undefined };
  const changes = profileChanges(name, { url: url.href, ...(allowHttp ? { allowHttp } : undefined) });
  // Whether it can be written is known before the client's file is touched.
  planConfig(context.paths, changes);
  return { plans, changes };
}

async function remove({ words, options }: Arguments, context: CommandContext): Promise<number> {
  const isTerminal = hasPerson(context);
  const name = textOf(options['name']) ?? words[0];
  const client = textOf(options['client']);
  return removeSetup({
    name,
    clients: clientsOf(client),
    isDry: options['dry-run'] === true,
    context,
    sure: async (what) => {
      if (options['yes'] === true) return;
      if (!isTerminal)
        throw new UsageError(`This takes out ${what}. Without a terminal, confirm it with --yes.`);
      await confirmed(`Take out ${what}?`);
    },
  });
}

/** @throws Cancelled */
async function confirmed(message: string): Promise<void> {
  const answer = await confirm({ message });
  if (isCancel(answer) || !answer) throw new Cancelled('Nothing was changed.');
}

function hasPerson({ stdout }: CommandContext): boolean {
  return process.stdin.isTTY && stdout.isTTY;
}
