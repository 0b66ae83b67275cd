// A chaos run by hand, any seed for any time:
//
//   node scripts/run.mjs --build test/chaos/main.ts [--seed N] [--seconds N] [--clients N] [--daemon] [--events]
//
// Exit code 1 when something happened that must not.
import { parseArgs } from 'node:util';
import { runChaos } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: process.env['CHAOS_SEED'] ?? String(Date.now() % 2 ** 31) },
    seconds: { type: 'string', default: process.env['CHAOS_SECONDS'] ?? '60' },
    clients: { type: 'string', default: '8' },
    daemon: { type: 'boolean', default: false },
    events: { type: 'boolean', default: false },
  },
});
process.stdout.write(`seed ${values.seed}, ${values.seconds} s, ${values.clients} clients\n`);
const { violations, events, errors, ...figures } = await runChaos({
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  clients: Number(values.clients),
  throughDaemon: values.daemon,
});
if (values.events) process.stdout.write(`${errors.join('\n')}\n\n`);
if (values.events || violations.length > 0) process.stdout.write(`${events.join('\n')}\n\n`);
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
process.stdout.write(`${violations.length} violations\n${violations.join('\n')}\n`);
// Not left to the end of the event loop: sockets that were reset half way can keep Node.js from tidying itself up.
process.exit(violations.length === 0 ? 0 : 1);
