// The lint rule behind "time and chance come in as values": outside src/platform/, code of src/ takes a Clock or an Rng
// and touches no timer, no calendar and no random source itself, so that a test can own all three.
import type { Node, Rule } from './rule.ts';
import { pathInSource } from './source-path.ts';

const timers = ['setTimeout', 'setInterval', 'setImmediate'];
const chance = ['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues'];

/** What is off limits as `object.property`, the object being a global. */
const members: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  performance: ['now', 'timeOrigin'],
  Math: ['random'],
  AbortSignal: ['timeout'],
  process: ['hrtime', 'uptime'],
  crypto: chance,
  globalThis: [...timers, 'performance', 'crypto'],
  global: [...timers, 'performance', 'crypto'],
};

/** What is off limits as an export of a module; `*` is all of it. */
const modules: Readonly<Record<string, readonly string[] | '*'>> = {
  timers: '*',
  'timers/promises': '*',
  perf_hooks: ['performance'],
  crypto: [...chance, 'webcrypto'],
  process: ['hrtime', 'uptime'],
};

/** A value of a table that is asked with names from source code, `constructor` and the like among them. */
function ownValue<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export const clock: Rule = {
  meta: { type: 'problem', docs: { description: 'Time and randomness come from src/platform/ alone.' } },
  create(context) {
    const path = pathInSource(context.physicalFilename, context.cwd);
    if (path === undefined || path.startsWith('platform/')) return {};

    const report = (node: Node, what: string): void =>
      context.report({ node, message: `${what} is for src/platform/ alone: take a Clock or an Rng.` });
    const isGlobal = (node: Node): boolean => context.sourceCode.isGlobalReference(node);

    /** Names under which this file knows a module as a whole, with what is off limits in it. */
    const namespaces = new Map<string, readonly string[]>();
    const bannedIn = (object: Node & { name: string }): readonly string[] =>
      (isGlobal(object) ? ownValue(members, object.name) : namespaces.get(object.name)) ?? [];

    return {
      ImportDeclaration(node) {
        const module = node.source.value.replace(/^node:/, '');
        const banned = ownValue(modules, module);
        if (banned === undefined || node.importKind === 'type') return;
        if (banned === '*') return report(node, `node:${module}`);
        for (const specifier of node.specifiers) {
          if (specifier.type !== 'ImportSpecifier') {
            namespaces.set(specifier.local.name, banned);
            continue;
          }
          const name =
            specifier.imported.type === 'Literal' ? specifier.imported.value : specifier.imported.name;
          if (name === 'default') namespaces.set(specifier.local.name, banned);
          else if (banned.includes(name)) report(specifier, `${name} of node:${module}`);
        }
      },
      ImportExpression(node) {
        if (node.source.type !== 'Literal' || typeof node.source.value !== 'string') return;
        const module = node.source.value.replace(/^node:/, '');
        // What is taken out of it cannot be followed, so none of it is let in this way.
        if (ownValue(modules, module) !== undefined) report(node, `node:${module}`);
      },
      Identifier(node) {
        if (timers.includes(node.name) && isGlobal(node)) report(node, node.name);
      },
      MemberExpression(node) {
        if (node.object.type !== 'Identifier') return;
        const property =
          !node.computed && node.property.type === 'Identifier'
            ? node.property.name
            : node.property.type === 'Literal'
              ? String(node.property.value)
              : undefined;
        if (property === undefined) return;
        if (bannedIn(node.object).includes(property)) report(node, `${node.object.name}.${property}`);
      },
      VariableDeclarator(node) {
        // const { now } = Date: the same reach by another form.
        if (node.init?.type !== 'Identifier' || node.id.type !== 'ObjectPattern') return;
        const banned = bannedIn(node.init);
        for (const entry of node.id.properties) {
          if (entry.type !== 'Property' || entry.key.type !== 'Identifier') continue;
          if (banned.includes(entry.key.name)) report(entry, `${node.init.name}.${entry.key.name}`);
        }
      },
      NewExpression(node) {
        const { callee } = node;
        if (callee.type !== 'Identifier' || callee.name !== 'Date' || node.arguments.length > 0) return;
        if (isGlobal(callee)) report(node, 'new Date() without a time');
      },
      CallExpression(node) {
        const { callee } = node;
        if (callee.type === 'Identifier' && callee.name === 'Date' && isGlobal(callee))
          report(node, 'Date()');
      },
    };
  },
};
