// Aligned text tables, and the two of them that the benchmark prints. Pure: figures in, lines out.
import type { Figures } from './measure.ts';
import type { Finding } from './ratios.ts';
import { summarize, type Summary } from './statistics.ts';

/** What one candidate did over all rounds. */
export interface Row {
  readonly name: string;
  readonly version: string;
  readonly figures: readonly Figures[];
  /** Why it is not in the figures, or not in each of them. */
  readonly failures: readonly string[];
}

interface Column {
  readonly title: string;
  readonly key: keyof Figures;
}

const columns: readonly Column[] = [
  { title: 'launch→init ms', key: 'launchMs' },
  { title: 'p50 ms', key: 'p50Ms' },
  { title: 'p99 ms', key: 'p99Ms' },
  { title: 'calls/s @32', key: 'callsPerS' },
  { title: 'CPU µs/call', key: 'cpuUs' },
  { title: '1 MiB down ms', key: 'downMs' },
  { title: '1 MiB up ms', key: 'upMs' },
  { title: 'RSS idle MB', key: 'idleMb' },
  { title: 'RSS after MB', key: 'afterMb' },
  { title: 'daemon idle MB', key: 'daemonIdleMb' },
  { title: 'daemon after MB', key: 'daemonAfterMb' },
];

/** Columns two spaces apart; `alignment` says `l` or `r` for each, and its last letter for all that follow. */
export function alignColumns(rows: readonly (readonly string[])[], alignment: string): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  const pad = (cell: string, at: number): string =>
    (alignment[at] ?? alignment.at(-1)) === 'l' ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

export function formatNumber(value: number): string {
  if (value >= 10_000) return Math.round(value / 100) * 100 + '';
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  if (value >= 1) return value.toFixed(2);
  return value >= 0.1 ? value.toFixed(3) : value.toPrecision(2);
}

/** Medians over the rounds, and below each row the least and the greatest of them. */
export function figureLines(rows: readonly Row[]): string[] {
  const used = columns.filter(({ key }) =>
    rows.some(({ figures }) => figures.some((one) => one[key] !== undefined)),
  );
  const cells = [
    ['', ...used.map(({ title }) => title)],
    ...rows.flatMap((row) => {
      const summaries = used.map(({ key }) => summaryOf(row.figures, key));
      const spread = summaries.map((one) => (one === undefined ? '' : formatSpread(one)));
      const medians = summaries.map((one) => (one === undefined ? '–' : formatNumber(one.median)));
      return row.figures.length > 1
        ? [
            [row.name, ...medians],
            ['', ...spread],
          ]
        : [[row.name, ...medians]];
    }),
  ];
  const lines = alignColumns(cells, 'lr');
  for (const { name, figures, failures } of rows) {
    if (failures.length === 0) continue;
    const rounds = figures.length === 0 ? 'not measured' : `failed in ${failures.length} of its rounds`;
    lines.push(`${name}: ${rounds}. ${failures[0]}`);
  }
  return lines;
}

export function findingLines(findings: readonly Finding[]): string[] {
  const cells = findings.map(({ id, what, is, limit, unit, value, verdict, note }) => {
    const isOne = value === undefined || value.min === value.max;
    return [
      id,
      what,
      value === undefined ? '–' : `${formatNumber(value.median)} ${unit}`,
      `${is} ${limit} ${unit}`,
      verdict,
      [isOne ? '' : `(${formatSpread(value)})`, note ?? ''].join(' ').trim(),
    ];
  });
  return alignColumns(cells, 'llrrl');
}

function summaryOf(figures: readonly Figures[], key: keyof Figures): Summary | undefined {
  const samples = figures.flatMap((one) => one[key] ?? []);
  return samples.length === 0 ? undefined : summarize(samples);
}

function formatSpread({ min, max }: Summary): string {
  return `${formatNumber(min)}–${formatNumber(max)}`;
}
