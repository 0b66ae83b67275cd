// `npm run bench:storm`: the service restarts under two hundred bridges, as if every user of a company had one open, and then
// under fifty fronts of one daemon. Prints what the service saw of it (PF5), and how soon all are well again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './statistics.ts';
import { gatherBridges, gatherFronts } from './storm-crowds.ts';
import { runStorm, type Storm } from './storm-run.ts';
import { alignColumns } from './table.ts';

const usage = `npm run bench:storm -- [--bridges N] [--fronts N] [--down MS] [--assert]

  --bridges N   how many bridges, each with a session of its own (200); 0 leaves them out
  --fronts N    how many fronts of one daemon (50); 0 leaves them out
  --down MS     how long the service is away (3000)
  --assert      exits with 1 when a session is made more than once, or somebody is not well again`;

const limitMs = 60_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bridges: { type: 'string', default: '200' },
      fronts: { type: 'string', default: '50' },
      down: { type: 'string', default: '3000' },
      assert: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const [bridges, fronts, downMs] = [values.bridges, values.fronts, values.down].map(Number) as [
    number,
    number,
    number,
  ];
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-storm-'));
  const columns: [string, Storm][] = [];
  try {
    if (bridges > 0) {
      console.error(`${bridges} bridges …`);
      const gather = (url: string): ReturnType<typeof gatherBridges> => gatherBridges(bridges, url);
      columns.push([`${bridges} bridges`, await runStorm({ downMs, limitMs, gather })]);
    }
    if (fronts > 0) {
      console.error(`${fronts} fronts …`);
      const gather = (url: string): ReturnType<typeof gatherFronts> => gatherFronts(fronts, url, home);
      columns.push([`${fronts} fronts, 1 daemon`, await runStorm({ downMs, limitMs, gather })]);
    }
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  const rows: [string, (storm: Storm) => string][] = [
    ['sessions', ({ sessions }) => String(sessions)],
    ['handshakes after the restart', ({ handshakes }) => String(handshakes)],
    ['handshakes of one client, at most', ({ mostHandshakes }) => String(mostHandshakes)],
    ['attempts to connect, at most in 100 ms', ({ peakAttempts }) => String(peakAttempts)],
    ['handshakes, at most in 100 ms', ({ peakHandshakes }) => String(peakHandshakes)],
    ['half of all well again after', ({ wellAfterMs }) => `${median(wellAfterMs).toFixed(0)} ms`],
    ['all well again after', ({ wellAfterMs }) => `${Math.max(...wellAfterMs).toFixed(0)} ms`],
    ['requests that failed', ({ errors }) => String(errors.length)],
    ['memory of each', ({ mbEach }) => `${mbEach.toFixed(1)} MB`],
  ];
  const head = ['', ...columns.map(([name]) => name)];
  const body = rows.map(([name, of]) => [name, ...columns.map(([, storm]) => of(storm))]);
  console.log(
    [`The service was away for ${downMs} ms.`, '', ...alignColumns([head, ...body], 'lr')].join('\n'),
  );
  for (const [name, { errors }] of columns)
    if (errors.length > 0) console.log(`${name}: ${[...new Set(errors)].join(', ')}`);
  const isKept = columns.every(
    ([, storm]) => storm.handshakes <= storm.sessions && storm.mostHandshakes <= 1,
  );
  if (values.assert && !isKept) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
process.exit();
