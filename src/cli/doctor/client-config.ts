// The last step: whether clients launch the bridge for this service, and whether an entry that set-up has written was lost since.

import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { ConfigError } from '../../config/config-file.ts';
import { entriesIn } from '../../setup/client-file.ts';
import { CLIENTS, type ClientId, type ClientSpec } from '../../setup/clients.ts';
import { bridgedBy, wordsOf } from '../../setup/entry.ts';
import type { WrittenEntry } from '../../setup/record.ts';
import { failed, ok, warning, type Verdict } from './step.ts';

/** An entry that is not what set-up has left, and that it can write again. */
export interface LostEntry {
  readonly client: ClientId;
  readonly name: string;
  readonly file: string;
  readonly why: string;
}

export interface ClientConfigOptions {
  /** Where Claude Desktop keeps its file. */
  readonly places: readonly string[];
  /** What set-up has written for this service, for whichever client. */
  readonly written: readonly WrittenEntry[];
  /** The service, as an entry would name it. */
  readonly names: readonly string[];
  /** The first of them, as it may be shown. */
  readonly shown: string;
}

/** @throws ConfigError where a file is not understood */
function findLost(written: readonly WrittenEntry[]): LostEntry[] {
  return written.flatMap((entry) => {
    const why = whyLost(entry);
    return why === undefined ? [] : [{ client: entry.client, name: entry.name, file: entry.file, why }];
  });
}

function whyLost({ client, file, name }: WrittenEntry): string | undefined {
  if (!existsSync(file)) return `${file} is gone, and with it the entry "${name}"`;
  const entries = entriesIn(file, CLIENTS[client]);
  if (!Object.hasOwn(entries, name)) return `the entry "${name}" is gone from ${file}`;
  return whyBroken(entries[name], name, file);
}

function whyBroken(entry: unknown, name: string, file: string): string | undefined {
  const target = bridgedBy(entry);
  if (target === undefined) return `the entry "${name}" in ${file} launches something else`;
  const missing = wordsOf(entry)
    .slice(0, 2)
    .find((word) => isAbsolute(word) && !existsSync(word));
  return missing === undefined
    ? undefined
    : `the entry "${name}" in ${file} launches ${missing}, which is not there`;
}

export interface ClientExamination {
  readonly verdict: Verdict;
  readonly lost: readonly LostEntry[];
}

export function examineClientConfig(options: ClientConfigOptions): ClientExamination {
  try {
    const lost = findLost(options.written);
    const [first] = lost;
    if (first === undefined) return { verdict: examineEntries(CLIENTS['claude-desktop'], options), lost };
    const others = lost.length === 1 ? '' : ` (and ${lost.length - 1} more)`;
    const remedy = `Run \`${repairOf(first)}\`, then restart ${CLIENTS[first.client].title}.`;
    return { verdict: failed(`${first.why}${others}`, remedy), lost };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = 'Correct it (Settings → Developer → Edit Config), then restart Claude Desktop.';
    return { verdict: failed(error.message, remedy), lost: [] };
  }
}

/** What writes the entry again. */
function repairOf({ client, name }: Pick<LostEntry, 'client' | 'name'>): string {
  return `mcp-bridge setup ${name}${client === 'claude-desktop' ? '' : ` --client ${client}`}`;
}

function examineEntries(client: ClientSpec, options: ClientConfigOptions): Verdict {
  const { places, written, names, shown } = options;
  const add = `Run \`mcp-bridge setup ${shown}\`.`;
  const found = places.filter(existsSync);
  const [first] = found;
  const [other] = written;
  if (other !== undefined && other.client !== client.id)
    return ok(`the entry "${other.name}" in ${other.file} launches it`);
  if (first === undefined)
    return warning('Claude Desktop has no configuration here', `If you use Claude Desktop: ${add}`);
  for (const path of found) {
    const own = Object.entries(entriesIn(path, client)).flatMap(([name, entry]) => {
      const bridged = bridgedBy(entry);
      return bridged === undefined ? [] : [{ name, entry, bridged }];
    });
    const exact = own.find(({ bridged }) => names.includes(bridged));
    if (exact !== undefined) {
      const why = whyBroken(exact.entry, exact.name, path);
      return why === undefined ? ok(`the entry "${exact.name}" in ${path} launches it`) : failed(why, add);
    }
    if (own[0] !== undefined)
      return warning(`${path} launches mcp-bridge ("${own[0].name}"), but for another service`, add);
  }
  return warning(`${first} does not mention mcp-bridge`, add);
}

function isAbsolute(word: string): boolean {
  return posix.isAbsolute(word) || win32.isAbsolute(word);
}
