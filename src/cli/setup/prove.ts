// The proof at the end: reads each entry back from its file and launches it.

import { entriesIn } from '../../setup/client-file.ts';
import { CLIENTS } from '../../setup/clients.ts';
import type { Entry } from '../../setup/entry.ts';
import { prove } from '../../setup/proof.ts';
import { count } from '../render/text.ts';
import type { EntryPlan } from './entries.ts';
import type { Reporter } from './reporter.ts';
import type { Wishes } from './wishes.ts';

const SHOWN_TOOLS = 5;
/** Characters of each. */
const SHOWN_NAME = 64;

export interface ProveParts {
  readonly reporter: Reporter;
  readonly isSignedIn: boolean;
}

/** Resolves with the exit code. */
export async function proveAll(
  plans: readonly EntryPlan[],
  wishes: Pick<Wishes, 'name' | 'clients'>,
  { reporter, isSignedIn }: ProveParts,
): Promise<number> {
  const { name } = wishes;
  // Several places of one client hold the same.
  const entries = new Map(
    plans.map(({ client, file }) => {
      const entry = entriesIn(file, client)[name] as Entry;
      return [JSON.stringify([entry.command, entry.args, entry.env]), entry];
    }),
  );
  for (const entry of entries.values()) {
    const proof = await prove(entry);
    if (proof.kind === 'failed') {
      reporter.step('failed', 'proof', `the entry was launched, and failed: ${proof.reason}`);
      return reporter.end(
        'failed',
        `It is written, but does not work yet. Run \`mcp-bridge doctor ${name}\`.`,
      );
    }
    if (proof.kind === 'stand-in') {
      reporter.step('warning', 'proof', `the entry was launched and answers, but: ${proof.text}`);
      if (!isSignedIn) break;
      return reporter.end(
        'failed',
        `It is written, but the service cannot be used yet. Run \`mcp-bridge doctor ${name}\`.`,
      );
    }
    const { tools } = proof;
    const more = tools.length > SHOWN_TOOLS ? ', …' : '';
    const list =
      tools.length === 0 ? '' : ` (${tools.slice(0, SHOWN_TOOLS).map(shortened).join(', ')}${more})`;
    reporter.step(
      'ok',
      'proof',
      `launched the entry as the client does: ${count(tools.length, 'tool')}${list}`,
    );
  }
  if (!isSignedIn)
    return reporter.end(
      'warning',
      `All is written; what is missing is the sign-in, which needs a person: \`mcp-bridge login ${name}\`.`,
    );
  return reporter.end('ok', `Done. ${reloads(wishes)}`);
}

function shortened(name: string): string {
  return name.length <= SHOWN_NAME ? name : `${name.slice(0, SHOWN_NAME)}…`;
}

/** What makes the clients take it up. */
export function reloads({ clients }: Pick<Wishes, 'clients'>): string {
  return clients.map((id) => CLIENTS[id].reload).join(' ');
}
