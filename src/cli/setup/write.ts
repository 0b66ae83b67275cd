// Writes the entries, and notes what was written.

import { backupDir, keepBackup } from '../../setup/backups.ts';
import type { Entry } from '../../setup/entry.ts';
import { SetupRecord } from '../../setup/record.ts';
import { isRunning } from '../../setup/running.ts';
import type { CommandContext } from '../command.ts';
import { writeEntry, type EntryPlan } from './entries.ts';
import type { Reporter } from './reporter.ts';

export interface Planned {
  readonly plan: EntryPlan;
  readonly entry: Entry;
}

/** @throws ConfigError where a file cannot be written */
export async function writeAll(
  plans: readonly Planned[],
  name: string,
  { paths, clock }: CommandContext,
  reporter: Reporter,
): Promise<void> {
  const record = new SetupRecord(paths);
  for (const { plan, entry } of plans) {
    const { client, file, madeFile, madeSection } = plan;
    let copy: string | undefined;
    const { written } = writeEntry(plan, name, entry, (path) => {
      copy = keepBackup(backupDir(paths), path, clock);
    });
    const at = new Date(clock.wallTime()).toISOString();
    record.add({ client: client.id, file, name, at, madeFile, madeSection });
    if (written === 'same') reporter.step('same', client.title, `the entry "${name}" in ${file} is right`);
    else {
      const before = copy === undefined ? '' : `; as it was before: ${copy}`;
      reporter.step('ok', client.title, `the entry "${name}" is in ${file}${before}`);
      if (await isRunning(client.processes))
        reporter.step(
          'warning',
          client.title,
          `${client.title} is running, and may write this file anew from what it remembers. Quit it before you change anything in it; \`mcp-bridge doctor ${name}\` tells whether the entry is still there.`,
        );
    }
  }
}
