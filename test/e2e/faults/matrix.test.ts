// The fault matrix: each fault against each load, through the real program and real sockets. In every cell each request gets
// one reply and no write runs twice. FAULTS=<pattern> runs the cells that it fits.
import { expect, test } from 'vitest';
import { runCell } from './cell.ts';
import { LOADS, type Fault, type Load } from './fault.ts';
import { missingTools } from '../../support/needs.ts';
import { launchFaults } from './launch-faults.ts';
import { requestFaults } from './request-faults.ts';
import { serviceFaults } from './service-faults.ts';
import { together } from './together.ts';

/** Cells at once; they wait more than they work. */
const WIDTH = 12;
const LIMIT = { timeout: 240_000 };

interface Cell {
  readonly name: string;
  readonly fault: Fault;
  readonly load: Load;
}

const pattern = new RegExp(process.env['FAULTS'] ?? '');
const cellsOf = (faults: readonly Fault[]): Cell[] =>
  faults
    .flatMap((fault) => LOADS.map((load) => ({ name: `${fault.name} × ${load}`, fault, load })))
    .filter(({ name }) => pattern.test(name));

const all = [...serviceFaults, ...launchFaults, ...requestFaults];
const whyNot = ({ fault: { needs = [] } }: Cell): string | undefined => missingTools(...needs);
const outcome = together(
  cellsOf(all)
    .filter((cell) => whyNot(cell) === undefined)
    .map(({ name, fault, load }) => ({ name, run: () => runCell(fault, load) })),
  WIDTH,
);

test.for(cellsOf(serviceFaults))(
  'BR8 BR13 RT1 RT4 SE4 SE6 FB1 FB3 the service or the way to it: $name',
  LIMIT,
  async ({ name }) => expect(await outcome(name)).toBeUndefined(),
);
test.for(cellsOf(launchFaults))(
  'BR13 HS1 HS2 RT1 RT4 names, certificates, launches: $name',
  LIMIT,
  async (cell, { skip }) => {
    skip(whyNot(cell) !== undefined, whyNot(cell));
    expect(await outcome(cell.name)).toBeUndefined();
  },
);
test.for(cellsOf(requestFaults))(
  'BR8 BR12 BR13 RT2 RT3 RT4 RT6 RT7 one answer: $name',
  LIMIT,
  async ({ name }) => expect(await outcome(name)).toBeUndefined(),
);
