// The variable NO_PROXY: who is reached without a proxy. There is no standard; these are the rules that curl, Go and Python have
// in common, and the address ranges that all of them know by now.

import { BlockList, isIP } from 'node:net';

/**
 * @param list entries between commas or spaces, each with or without a port: `*`; a host, which stands for those below it as well;
 *   `.host` or `*.host`, the same; an address; a range of addresses like `10.0.0.0/8`
 */
export function isExempt(hostname: string, port: number, list: string): boolean {
  const host = bare(hostname);
  return list.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(entry, host);
  const [, name = '', wanted] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (wanted !== undefined && Number(wanted) !== port) return false;
  const wantedHost = bare(name);
  if (isIP(wantedHost) !== 0 || isIP(host) !== 0) return sameAddress(wantedHost, host);
  const suffix = wantedHost.replace(/^\*?\./, '');
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
}

function isInRange(entry: string, host: string): boolean {
  const [, net = '', bits = ''] = /^\[?([^\]/]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(net);
  if (family === 0 || isIP(host) !== family || Number(bits) > (family === 6 ? 128 : 32)) return false;
  const range = new BlockList();
  range.addSubnet(net, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return range.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function sameAddress(a: string, b: string): boolean {
  if (isIP(a) !== isIP(b)) return false;
  if (a === b) return true;
  // IPv6 has many ways to write the same.
  return isIP(a) === 6 && new URL(`http://[${a}]`).hostname === new URL(`http://[${b}]`).hostname;
}

/** Without brackets and the dot that ends a full name. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
