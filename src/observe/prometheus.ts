// Prometheus' text format (version 0.0.4): families of counters, gauges and histograms, and how they are written.

import { BOUNDS_MS, Histogram } from './histogram.ts';

/** Label sets a family may have; what comes later is counted under none of its own. */
const MAX_SERIES = 1000;
/** The bounds that are shown, in milliseconds; each is one that the histogram has. */
const SHOWN_MS = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000,
];

type LabelValues = readonly string[];

/** Values by label set, in the order of `labels`. */
abstract class Family<T> {
  readonly #series = new Map<string, { readonly labels: LabelValues; readonly value: T }>();
  /** What was counted last is counted next as a rule. */
  #last: { readonly labels: LabelValues; readonly value: T } | undefined;
  readonly name: string;
  readonly help: string;
  readonly #labels: readonly string[];

  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
  }

  abstract readonly type: 'counter' | 'gauge' | 'histogram';
  protected abstract fresh(): T;
  protected abstract lines(value: T, labels: string): string[];

  protected at(labels: LabelValues): T | undefined {
    if (this.#last !== undefined && isSame(this.#last.labels, labels)) return this.#last.value;
    const key = labels.join('\0');
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) return undefined;
      series = { labels, value: this.fresh() };
      this.#series.set(key, series);
    }
    this.#last = series;
    return series.value;
  }

  protected clear(): void {
    this.#series.clear();
    this.#last = undefined;
  }

  text(): string {
    if (this.#series.size === 0) return '';
    const body = [...this.#series.values()].flatMap(({ labels, value }) =>
      this.lines(value, this.#written(labels)),
    );
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.type}`, ...body, ''].join('\n');
  }

  #written(values: LabelValues): string {
    return this.#labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(',');
  }
}

function isSame(some: LabelValues, others: LabelValues): boolean {
  for (let i = 0; i < some.length; i += 1) if (some[i] !== others[i]) return false;
  return some.length === others.length;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

const sample = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${value}`;

export class Counter extends Family<{ n: number }> {
  readonly type = 'counter';

  add(...labels: LabelValues): void {
    const value = this.at(labels);
    if (value !== undefined) value.n += 1;
  }

  protected fresh(): { n: number } {
    return { n: 0 };
  }

  protected lines({ n }: { n: number }, labels: string): string[] {
    return [sample(this.name, labels, n)];
  }
}

export class Gauge extends Family<{ n: number }> {
  readonly type: 'gauge' | 'counter' = 'gauge';

  set(value: number, ...labels: LabelValues): void {
    const at = this.at(labels);
    if (at !== undefined) at.n = value;
  }

  reset(): void {
    this.clear();
  }

  protected fresh(): { n: number } {
    return { n: 0 };
  }

  protected lines({ n }: { n: number }, labels: string): string[] {
    return [sample(this.name, labels, n)];
  }
}

/** A count that somebody else keeps. */
export class Total extends Gauge {
  override readonly type = 'counter';
}

/** Takes milliseconds and shows seconds, as Prometheus wants them. */
export class Durations extends Family<Histogram> {
  readonly type = 'histogram';

  record(ms: number, ...labels: LabelValues): void {
    this.at(labels)?.record(ms);
  }

  protected fresh(): Histogram {
    return new Histogram();
  }

  protected lines(histogram: Histogram, labels: string): string[] {
    const comma = labels === '' ? '' : ',';
    const bucket = (le: string, count: number): string =>
      `${this.name}_bucket{${labels}${comma}le="${le}"} ${count}`;
    let below = 0;
    const lines: string[] = [];
    for (const [i, bound] of BOUNDS_MS.entries()) {
      below += histogram.counts[i] as number;
      if (SHOWN_MS.includes(bound)) lines.push(bucket(String(bound / 1000), below));
    }
    return [
      ...lines,
      bucket('+Inf', histogram.count),
      sample(`${this.name}_sum`, labels, histogram.sumMs / 1000),
      sample(`${this.name}_count`, labels, histogram.count),
    ];
  }
}
