// Which part of src/ may import which other: the table, and the question asked of it. Owns no syntax: the lint rule in
// imports.ts finds the imports and asks here. docs/architecture.md tells the reasons.
import { isBuiltin } from 'node:module';

/** `types`: only `import type`, because the code behind it must not come along. */
type Access = 'all' | 'types';
type Reach = Readonly<Record<string, Access>>;

const below = {
  upstream: { policy: 'all', protocol: 'all', platform: 'all' },
  bridge: { pool: 'all', upstream: 'all', policy: 'all', protocol: 'all', platform: 'all', config: 'all' },
} as const satisfies Record<string, Reach>;

/**
 * A part is a folder of src/; `observe/events` is a part of its own, because everyone may emit events and only those
 * on top may read them. A part may always import itself and `observe/events`.
 */
const reach: Readonly<Record<string, Reach>> = {
  platform: {},
  protocol: { platform: 'all' },
  // Decisions are pure: they may know the shape of a clock, never own one.
  policy: { protocol: 'all', platform: 'types' },
  'observe/events': { protocol: 'types', policy: 'types', platform: 'types' },
  config: { protocol: 'all', platform: 'all' },
  upstream: { ...below.upstream, config: 'types' },
  pool: { ...below.upstream, upstream: 'all', config: 'types' },
  bridge: below.bridge,
  auth: { protocol: 'all', platform: 'all', config: 'all' },
  setup: { protocol: 'all', platform: 'all', config: 'all' },
  observe: { protocol: 'all', policy: 'all', platform: 'all', config: 'all' },
  // The three on top share the bridge, not each other: front and daemon meet at the socket, and only cli starts either.
  front: { ...below.bridge, bridge: 'all', auth: 'all', observe: 'all' },
  daemon: { ...below.bridge, bridge: 'all', auth: 'all', observe: 'all' },
  cli: {
    ...below.bridge,
    bridge: 'all',
    front: 'all',
    daemon: 'all',
    auth: 'all',
    setup: 'all',
    observe: 'all',
  },
};

/** The part of a file, from its path below src/ with `/`; undefined for one that lies outside all parts. */
export function partOf(path: string): string | undefined {
  if (/^observe\/events(\.ts|\/)/.test(path)) return 'observe/events';
  const folder = /^([^/]+)\//.exec(path)?.[1];
  return folder !== undefined && Object.hasOwn(reach, folder) ? folder : undefined;
}

/** Why `from` may not import `to` (paths below src/), or undefined when it may. */
export function refuseFile(from: string, to: string, typesOnly: boolean): string | undefined {
  const source = partOf(from);
  const target = partOf(to);
  if (source === undefined) return `src/${from} belongs to no part: place it, or add its folder to the table`;
  if (target === undefined) return `${to} lies outside the parts of src/`;
  if (source === target || target === 'observe/events') return undefined;
  const access = reach[source]?.[target];
  if (access === 'all' || (access === 'types' && typesOnly)) return undefined;
  if (access === 'types') return `${source} may import types alone from ${target} (\`import type\`)`;
  return `${source} may not import ${target}`;
}

/** Why `from` may not import the package `name`, or undefined when it may. */
export function refusePackage(from: string, name: string): string | undefined {
  const part = partOf(from);
  const is = (wanted: string): boolean => name === wanted || name.startsWith(`${wanted}/`);
  if (part === 'policy' && (isBuiltin(name) || is('undici'))) {
    return `policy decides and does nothing else: it may not import ${name}`;
  }
  if (is('commander') && part !== 'cli')
    return `only cli parses a command line: ${part} may not import ${name}`;
  return undefined;
}
