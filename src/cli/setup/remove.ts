// `mcp-bridge setup --remove`: takes out what set-up has written, and nothing else.

import { existsSync, rmSync } from 'node:fs';
import { recordFiles } from '../../auth/store/places.ts';
import { storeKey } from '../../auth/store/store.ts';
import { readConfigText, type Values } from '../../config/config-file.ts';
import { applyChanges, planChanges, valueAt, type Change, type Plan } from '../../config/json-changes.ts';
import { parseUrl } from '../../config/service-url.ts';
import { planConfig, removeProfile } from '../../config/user-config.ts';
import { backupDir, keepBackup } from '../../setup/backups.ts';
import { clientFile, entriesIn } from '../../setup/client-file.ts';
import { CLIENT_IDS, CLIENTS, type ClientId, type ClientSpec } from '../../setup/clients.ts';
import { bridgedBy } from '../../setup/entry.ts';
import { SetupRecord, type WrittenEntry } from '../../setup/record.ts';
import type { CommandContext } from '../command.ts';
import { programLink, thisMachine } from './machine.ts';
import { Reporter } from './reporter.ts';

export interface RemoveParts {
  /** A profile's name, or the service's URL; everything where it is undefined. */
  readonly name: string | undefined;
  readonly clients: readonly ClientId[] | undefined;
  readonly isDry: boolean;
  readonly context: CommandContext;
  /** Asks whether that is meant, as far as somebody can be asked. Throws where it is not. */
  readonly sure: (what: string) => Promise<void>;
}

interface Found {
  readonly client: ClientSpec;
  readonly file: string;
  readonly name: string;
  readonly known: WrittenEntry | undefined;
}

/** Resolves with the exit code. @throws ConfigError */
export async function removeSetup(asked: RemoveParts): Promise<number> {
  const parts = { ...asked, name: profileNamed(asked) };
  const { context, isDry } = parts;
  const { paths } = context;
  const record = new SetupRecord(paths);
  const reporter = new Reporter(context);
  const entries = findEntries(parts, record);
  const profiles = findProfiles(parts, entries, record);
  if (entries.length === 0 && profiles.length === 0) {
    reporter.say('There is nothing of mcp-bridge to take out.');
    return 0;
  }
  if (isDry) {
    const config = profiles.map((name) => ({ path: ['profiles', name], value: undefined }));
    reporter.showDiffs([
      { file: paths.configFile, ...planConfig(paths, config) },
      ...entries.map((found) => ({ file: found.file, ...planRemoval(found) })),
    ]);
    return 0;
  }
  await parts.sure(whatIsTaken(entries, profiles));
  for (const found of entries) removeEntry(found, context, record, reporter);
  for (const name of profiles) await removeWithSignIn(name, context, reporter);
  tidy(context, record);
  const kept = existsSync(backupDir(paths))
    ? ` Copies of the files as they were before are in ${backupDir(paths)}.`
    : '';
  return reporter.end('ok', `Done.${kept}`);
}

/** Those that set-up has noted, and those that look as if it had written them; each still launches the bridge. */
function findEntries({ name, clients, context }: RemoveParts, record: SetupRecord): Found[] {
  const machine = thisMachine(context);
  return (clients ?? CLIENT_IDS).flatMap((id) => {
    const client = CLIENTS[id];
    const noted = record.entries.filter((entry) => entry.client === id);
    const files = new Set([...client.places(machine), ...noted.map(({ file }) => file)]);
    return [...files].filter(existsSync).flatMap((file) =>
      Object.entries(entriesIn(file, client)).flatMap(([key, entry]) => {
        const known = noted.find((each) => each.file === file && each.name === key);
        const target = bridgedBy(entry);
        const isOurs = target !== undefined && (known !== undefined || target === key);
        return isOurs && (name === undefined || name === key) ? [{ client, file, name: key, known }] : [];
      }),
    );
  });
}

/** The user's profiles that nobody launches any more afterwards. */
function findProfiles(
  { name, clients, context }: RemoveParts,
  entries: readonly Found[],
  record: SetupRecord,
): string[] {
  const own = profilesOf(context);
  const left = record.entries.filter(
    (entry) => !entries.some((found) => found.file === entry.file && found.name === entry.name),
  );
  const names = name === undefined ? new Set(entries.map((found) => found.name)) : new Set([name]);
  return [...names].filter(
    (each) =>
      Object.hasOwn(own, each) &&
      !(clients !== undefined && left.some((entry) => entry.name === each && existsSync(entry.file))),
  );
}

function profilesOf({ paths }: Pick<CommandContext, 'paths'>): Values {
  const found = valueAt(readConfigText(paths.configFile).values, ['profiles']);
  return typeof found === 'object' && found !== null ? (found as Values) : {};
}

/** Set-up took the URL, so it is taken here as well. */
function profileNamed({ name, context }: RemoveParts): string | undefined {
  if (name === undefined || !URL.canParse(name)) return name;
  const profiles = profilesOf(context);
  const { href } = new URL(name);
  const isIt = (url: unknown): boolean => typeof url === 'string' && URL.parse(url)?.href === href;
  return Object.keys(profiles).find((each) => isIt(valueAt(profiles, [each, 'url']))) ?? name;
}

function whatIsTaken(entries: readonly Found[], profiles: readonly string[]): string {
  return [
    ...entries.map(({ name, file }) => `the entry "${name}" in ${file}`),
    ...profiles.map((name) => `the profile "${name}", with its sign-in`),
  ].join(', ');
}

function planRemoval({ client, file, name, known }: Found): Plan {
  const json = clientFile(file, client, { keep: () => {} });
  return planChanges(json, [removalOf(json.read().values, client, name, known)]);
}

/** The list goes too where set-up has made it and nothing is left in it. */
function removalOf(
  values: Values,
  { section }: ClientSpec,
  name: string,
  known: WrittenEntry | undefined,
): Change {
  const others = Object.keys(valueAt(values, [section]) ?? {}).filter((key) => key !== name);
  const isOurList = known?.madeSection === true && others.length === 0;
  return { path: isOurList ? [section] : [section, name], value: undefined };
}

function removeEntry(
  { client, file, name, known }: Found,
  { paths, clock }: CommandContext,
  record: SetupRecord,
  reporter: Reporter,
): void {
  const json = clientFile(file, client, { keep: (path) => void keepBackup(backupDir(paths), path, clock) });
  const change = removalOf(json.read().values, client, name, known);
  const left = json.parse(planChanges(json, [change]).after) as Values;
  // A file that set-up has made, and that holds nothing else, goes whole.
  if (known?.madeFile === true && Object.keys(left).length === 0) rmSync(file);
  else applyChanges(json, [change]);
  record.remove({ file, name });
  reporter.step('ok', client.title, `the entry "${name}" is out of ${file}`);
}

/** First the sign-in, which is found by the profile's URL. */
async function removeWithSignIn(name: string, context: CommandContext, reporter: Reporter): Promise<void> {
  const profiles = profilesOf(context);
  const url = valueAt(profiles, [name, 'url']);
  const isShared = Object.keys(profiles).some(
    (each) => each !== name && valueAt(profiles, [each, 'url']) === url,
  );
  if (
    typeof url === 'string' &&
    !isShared &&
    existsSync(recordFiles(context.paths, storeKey(parseUrl(url))).marker)
  ) {
    const { run } = await import('../logout.ts');
    await run({ words: [name], options: {} }, context);
  }
  removeProfile(context.paths, name);
  reporter.step('ok', 'profile', `"${name}" is out of ${context.paths.configFile}`);
}

/** What is empty now, and is ours alone. */
function tidy({ paths }: CommandContext, record: SetupRecord): void {
  if (record.entries.length > 0) return;
  rmSync(record.path, { force: true });
  rmSync(programLink(paths), { force: true });
  const { profiles = {}, ...rest } = readConfigText(paths.configFile).values;
  if (Object.keys(rest).length > 0 || Object.keys(profiles as Values).length > 0) return;
  rmSync(paths.configFile, { force: true });
  rmSync(paths.cacheDir, { recursive: true, force: true });
}
