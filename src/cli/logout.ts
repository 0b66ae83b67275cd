// `mcp-bridge logout`: ends a sign-in at the authorization server where that is offered, and forgets it here.

import { revoke, type Revocation } from '../auth/revoke.ts';
import { openStore } from '../auth/store/open-store.ts';
import type { Arguments, CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { untilInterrupted } from './sign-in/interrupt.ts';
import { targetOf } from './sign-in/target.ts';

export async function run(args: Arguments, context: CommandContext): Promise<number> {
  const { stdout, stderr, paths, env } = context;
  return untilInterrupted(async (signal) => {
    const target = targetOf(args, context, signal);
    const store = openStore(paths, env);
    const loaded = await store.load(target.key);
    if (loaded.kind === 'failed') {
      stderr.write(`Not signed out of ${target.name}. ${loaded.message} ${loaded.remedy} (${loaded.code})\n`);
      return EXIT.degraded;
    }
    if (loaded.value === undefined) {
      stdout.write(`You are not signed in to ${target.name}; there was nothing to end.\n`);
      return EXIT.ok;
    }
    // Removed first: whatever the server says, this machine shall not use it any more.
    const removed = await store.remove(target.key);
    if (removed.kind === 'failed') {
      stderr.write(
        `Not signed out of ${target.name}. ${removed.message} ${removed.remedy} (${removed.code})\n`,
      );
      return EXIT.degraded;
    }
    const revoked: Revocation =
      loaded.value.kind === 'oauth' ? await revoke(loaded.value, target) : { kind: 'not-offered' };
    const said = `Signed out of ${target.name}: the sign-in was removed from this machine`;
    switch (revoked.kind) {
      case 'revoked':
        stdout.write(`${said}, and ended at the service.\n`);
        return EXIT.ok;
      case 'not-offered':
        stdout.write(`${said}. The service was not told, because there is no way to tell it.\n`);
        return EXIT.ok;
      case 'failed':
        stderr.write(`${said}, but it could not be ended at the service. ${revoked.message} `);
        stderr.write('It may stay good there until it expires.\n');
        return EXIT.degraded;
    }
  });
}
