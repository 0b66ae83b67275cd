// The arguments of `mcp-bridge run`, as the front and the daemon read them.

import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';
import { ConfigError, type RunArguments } from './resolve.ts';
import { SETTINGS, flagName } from './settings.ts';

const USAGE =
  'Usage: mcp-bridge run <url|profile> [--header NAME=env:VARIABLE]… [--allow-http] [--<setting> VALUE]…';
/** @throws ConfigError */
export function parseRunArguments(argv: readonly string[]): RunArguments {
  const names = Object.entries(SETTINGS).map(([name, spec]) => [flagName(name), spec.type] as const);
  const options = Object.fromEntries(
    names.map(([name, type]) => [
      name,
      { type: type === 'switch' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: { ...options, header: { type: 'string', multiple: true } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const known = [...names.map(([name]) => name), 'header'];
    if (!known.includes(token.name)) {
      const hint = nearest(token.name, known);
      throw new ConfigError(
        `Unknown option ${token.rawName}.${hint === undefined ? '' : ` Did you mean --${hint}?`}\n${USAGE}`,
      );
    }
    const takesValue = options[token.name]?.type !== 'boolean';
    if (takesValue && token.value === undefined)
      throw new ConfigError(`${token.rawName} needs a value.\n${USAGE}`);
  }
  const [target, extra] = positionals;
  if (target === undefined)
    throw new ConfigError(`Which service? Give its URL or the name of a profile.\n${USAGE}`);
  if (extra !== undefined) throw new ConfigError(`One service at a time: "${extra}" is too much.\n${USAGE}`);
  const { header, ...flags } = values;
  return {
    target,
    flags: flags as Record<string, string | boolean>,
    headers: Array.isArray(header) ? header.filter((item) => typeof item === 'string') : [],
  };
}
