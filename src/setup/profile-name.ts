// A name for a service, from its URL: the part of the host that people would call it by.

/** Labels that say what a host is for, not whose it is. */
const COMMON = /^(mcp|api|www|app|apps|server|remote|sse|gateway|ai)$/i;

/** `https://mcp.notion.com/mcp` → `notion`. */
export function nameOf(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || /^[\d.]+$/.test(host) || host.includes(':')) return 'local';
  const labels = host.split('.').filter((label) => label !== '');
  // Without the domain's end, as far as it can be told without a list of them all.
  const owners = labels.slice(0, Math.max(1, labels.length - 1));
  const name = owners.filter((label) => !COMMON.test(label))[0] ?? owners[0] ?? 'service';
  return name.replaceAll(/[^\w.@-]/g, '-');
}

/** The name itself where it is free, else with a number. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let n = 2; ; n += 1) if (!isTaken(`${name}-${n}`)) return `${name}-${n}`;
}
