// The entry of one profile in one client's file: what would change, and the change itself.

import { existsSync } from 'node:fs';
import type { Change, JsonFile, Plan } from '../../config/json-changes.ts';
import { applyChanges, planChanges, valueAt } from '../../config/json-changes.ts';
import { clientFile } from '../../setup/client-file.ts';
import type { ClientSpec } from '../../setup/clients.ts';
import { bridgedBy, type Entry } from '../../setup/entry.ts';

export interface EntryPlan extends Plan {
  readonly client: ClientSpec;
  readonly file: string;
  readonly madeFile: boolean;
  readonly madeSection: boolean;
  /** An entry of that name launches something else. */
  readonly isForeign: boolean;
}

/** @throws ConfigError where the file is not understood */
export function planEntry(client: ClientSpec, file: string, name: string, entry: Entry): EntryPlan {
  const json = clientFile(file, client, { keep: () => {} });
  const found = json.read();
  const section = valueAt(found.values, [client.section]);
  const present = valueAt(section, [name]);
  return {
    ...planChanges(json, changesFor(client, name, entry, present)),
    client,
    file,
    madeFile: !existsSync(file),
    madeSection: section === undefined,
    isForeign: present !== undefined && bridgedBy(present) === undefined,
  };
}

/** @param keep keeps a copy of the file. @throws ConfigError */
export function writeEntry(
  { client, file }: EntryPlan,
  name: string,
  entry: Entry,
  keep: (path: string) => void,
): Plan {
  const json: JsonFile = clientFile(file, client, { keep });
  const present = valueAt(json.read().values, [client.section, name]);
  return applyChanges(json, changesFor(client, name, entry, present));
}

/** What the user has added to our entry stays: a switch of the client's, a variable. */
function changesFor(client: ClientSpec, name: string, entry: Entry, present: unknown): Change[] {
  const at = [client.section, name];
  if (bridgedBy(present) === undefined) return [{ path: at, value: entry }];
  const { env = {}, ...rest } = entry;
  return [
    ...Object.entries(rest).map(([key, value]) => ({ path: [...at, key], value })),
    ...Object.entries(env).map(([key, value]) => ({ path: [...at, 'env', key], value })),
  ];
}
