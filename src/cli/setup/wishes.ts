// What set-up is to do: from the command line, and on a terminal from the person, with good defaults.

import { isCancel, multiselect, text } from '@clack/prompts';
import {
  isProfileKeyLocked,
  profileIn,
  profileNamesIn,
  profileUrl,
  readLayers,
  type Layers,
} from '../../config/layers.ts';
import { ConfigError, isUrl } from '../../config/resolve.ts';
import { nearest } from '../../config/nearest.ts';
import { checkScheme, parseUrl } from '../../config/service-url.ts';
import { checkProfileName } from '../../config/user-config.ts';
import { CLIENT_IDS, CLIENTS, isPresent, type ClientId, type Machine } from '../../setup/clients.ts';
import { freeName, nameOf } from '../../setup/profile-name.ts';
import { textOf, UsageError, type Arguments, type CommandContext } from '../command.ts';

export interface Wishes {
  /** Of the profile and of the entries. */
  readonly name: string;
  /** Where the profile is to be written; undefined where it is there and stays as it is. */
  readonly url: URL | undefined;
  readonly allowHttp: boolean;
  readonly clients: readonly ClientId[];
}

export interface Asker {
  readonly context: CommandContext;
  readonly machine: Machine;
  /** Whether a person can be asked. */
  readonly isTerminal: boolean;
  /** Whether a client has an entry of this name that is not ours. */
  readonly isForeign: (name: string, clients: readonly ClientId[]) => boolean;
}

/** The person has had enough. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** @throws UsageError, ConfigError, Cancelled */
export async function findWishes({ words, options }: Arguments, asker: Asker): Promise<Wishes> {
  const { context, machine, isTerminal, isForeign } = asker;
  const layers = readLayers(context.paths);
  const isAsked = words[0] === undefined && isTerminal;
  if (words[0] === undefined && !isTerminal)
    throw new UsageError('Which service? Without a terminal, give its URL: mcp-bridge setup https://…');
  const allowHttp = options['allow-http'] === true;
  const target = words[0] ?? (await askUrl(allowHttp));
  const given = textOf(options['name']);
  const clients = clientsOf(textOf(options['client'])) ?? (isAsked ? await askClients(machine) : undefined);
  const chosen = clients ?? ['claude-desktop'];
  if (!isUrl(target)) return { ...existing(target, given, layers), allowHttp, clients: chosen };
  const url = parseUrl(target);
  checkScheme(url, allowHttp);
  const known = profileNamesIn(layers).find((name) => profileUrl(layers, name) === url.href);
  if (known !== undefined && (given === undefined || given === known))
    return { name: known, url: undefined, allowHttp, clients: chosen };
  const isTaken = (name: string): boolean => profileIn(layers, name) !== undefined || isForeign(name, chosen);
  const preset = freeName(nameOf(url), isTaken);
  const name = given ?? (isAsked ? await askName(preset, isTaken) : preset);
  checkProfileName(name);
  if (isProfileKeyLocked(layers, name, 'url')) {
    throw new ConfigError(
      `The profile "${name}" is locked by your administrator in ${layers.places.managedConfigFile}. Give another name with --name.`,
    );
  }
  return { name, url, allowHttp, clients: chosen };
}

/** @throws ConfigError */
function existing(
  target: string,
  given: string | undefined,
  layers: Layers,
): { name: string; url: undefined } {
  const names = profileNamesIn(layers);
  if (!names.includes(target)) {
    const hint = nearest(target, names);
    const what = hint === undefined ? '' : ` Did you mean "${hint}"?`;
    throw new ConfigError(`"${target}" is neither the URL of a service (https://…) nor a profile.${what}`);
  }
  if (given !== undefined && given !== target)
    throw new ConfigError(`The profile "${target}" has its name already; --name is for a new one.`);
  return { name: target, url: undefined };
}

/** From `--client one,two`. @throws UsageError */
export function clientsOf(given: string | undefined): ClientId[] | undefined {
  if (given === undefined) return undefined;
  return given.split(',').map((id) => {
    if (Object.hasOwn(CLIENTS, id)) return id as ClientId;
    const hint = nearest(id, CLIENT_IDS);
    throw new UsageError(
      `"${id}" is no client that set-up knows. ${hint === undefined ? `It knows ${CLIENT_IDS.join(', ')}.` : `Did you mean "${hint}"?`}`,
    );
  });
}

async function askUrl(allowHttp: boolean): Promise<string> {
  const answer = await text({
    message: 'The address of the service:',
    placeholder: 'https://example.com/mcp',
    validate: (value) => complaint(() => checkScheme(parseUrl(value?.trim() ?? ''), allowHttp)),
  });
  return taken(answer).trim();
}

async function askName(preset: string, isTaken: (name: string) => boolean): Promise<string> {
  const answer = await text({
    message: 'A name for it:',
    initialValue: preset,
    validate: (value) =>
      complaint(() => {
        checkProfileName(value ?? '');
        if (isTaken(value ?? '')) throw new ConfigError('That name is in use already.');
      }),
  });
  return taken(answer);
}

async function askClients(machine: Machine): Promise<ClientId[]> {
  const present = CLIENT_IDS.filter((id) => isPresent(CLIENTS[id], machine));
  const answer = await multiselect<ClientId>({
    message: 'For which programs? (space to choose, enter to go on)',
    options: CLIENT_IDS.map((id) => {
      const { title } = CLIENTS[id];
      return present.includes(id)
        ? { value: id, label: title }
        : { value: id, label: title, hint: 'not found here' };
    }),
    initialValues:
      present.includes('claude-desktop') || present.length === 0 ? ['claude-desktop'] : present.slice(0, 1),
    required: true,
  });
  return taken(answer);
}

function taken<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new Cancelled('Nothing was changed.');
  return answer as Exclude<T, symbol>;
}

function complaint(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
