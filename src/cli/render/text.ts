// Pieces of text that people read: durations, numbers, lines that fit.

/** `3 h 12 min`: the two largest units, the second only where it says something. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 10 && s % 60 !== 0) return `${minutes} min ${s % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** How long something took: `0.4 ms`, `12 ms`, `1.2 s`. */
export function took(ms: number): string {
  if (ms >= 100_000) return duration(ms);
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** `12,345` */
export function number(n: number): string {
  return String(n).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 client`, `2 clients` */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** The line cut to so many columns; colours take none and are closed again. */
export function fit(line: string, columns: number): string {
  // oxlint-disable-next-line no-control-regex
  const parts = line.match(/\u001b\[\d+m|[^\u001b]/gu) ?? [];
  let left = columns;
  let out = '';
  for (const part of parts) {
    if (part.startsWith('\u001b')) out += part;
    else if (left > 0) {
      out += part;
      left -= 1;
    }
  }
  return out;
}

/** Broken between words so that no line is longer than `columns`, where words allow. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const BARS = '▁▂▃▄▅▆▇█';

/** One sign a value, from 0 to the largest; a dot where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null) return '·';
      const step = most === 0 ? 0 : Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length));
      return BARS[step] as string;
    })
    .join('');
}
