// What `setup` has written, so that it can be taken out again, and so that `doctor` notices when a client has lost it. State of the
// program's own, kept by `conf` beside the user's config file.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Conf from 'conf';
import { ConfigError } from '../config/config-file.ts';
import type { Paths } from '../platform/paths.ts';
import type { ClientId } from './clients.ts';

export interface WrittenEntry {
  readonly client: ClientId;
  readonly file: string;
  /** Its key there, which is the name of its profile. */
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  /** There was no file before. */
  readonly madeFile: boolean;
  /** There was no list of servers in it before. */
  readonly madeSection: boolean;
}

/** What is noted; nothing where set-up was never run. @throws ConfigError */
export function writtenEntries(paths: Pick<Paths, 'configFile'>): readonly WrittenEntry[] {
  return existsSync(recordFile(paths)) ? new SetupRecord(paths).entries : [];
}

function recordFile({ configFile }: Pick<Paths, 'configFile'>): string {
  return join(dirname(configFile), `${NAME}.json`);
}

interface Content {
  entries: WrittenEntry[];
}

const NAME = 'setup';
const TEXT = { type: 'string' } as const;
const SWITCH = { type: 'boolean' } as const;

export class SetupRecord {
  readonly #store: Conf<Content>;

  /** @throws ConfigError where it is damaged */
  constructor({ configFile }: Pick<Paths, 'configFile'>) {
    const cwd = dirname(configFile);
    try {
      this.#store = new Conf<Content>({
        cwd,
        configName: NAME,
        configFileMode: 0o600,
        accessPropertiesByDotNotation: false,
        schema: {
          entries: {
            type: 'array',
            items: {
              type: 'object',
              required: ['client', 'file', 'name', 'at', 'madeFile', 'madeSection'],
              properties: {
                client: TEXT,
                file: TEXT,
                name: TEXT,
                at: TEXT,
                madeFile: SWITCH,
                madeSection: SWITCH,
              },
            },
          },
        },
      });
    } catch (error) {
      throw new ConfigError(
        `${recordFile({ configFile })}, where set-up notes what it has written, is damaged. Delete it; nothing else depends on it.`,
        { cause: error },
      );
    }
  }

  get entries(): readonly WrittenEntry[] {
    return this.#store.get('entries', []);
  }

  /** Takes the place of what was noted of the same entry, but for what was there before it. */
  add(entry: WrittenEntry): void {
    const known = this.entries.find((each) => isSame(each, entry));
    const { madeFile, madeSection } = known ?? entry;
    const others = this.entries.filter((each) => !isSame(each, entry));
    this.#store.set('entries', [...others, { ...entry, madeFile, madeSection }]);
  }

  remove(entry: Pick<WrittenEntry, 'file' | 'name'>): void {
    this.#store.set(
      'entries',
      this.entries.filter((each) => !isSame(each, entry)),
    );
  }

  get path(): string {
    return this.#store.path;
  }
}

type Key = Pick<WrittenEntry, 'file' | 'name'>;

function isSame(one: Key, other: Key): boolean {
  return one.file === other.file && one.name === other.name;
}
