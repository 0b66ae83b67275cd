// As much of JSON Schema (2020-12) as the schemas in docs/ use. A keyword that it does not know is an error, so that no rule is
// passed over in silence.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Schema = Readonly<Record<string, unknown>>;

const NOTES = ['$schema', '$defs', 'title', 'description'];

export function readSchema(name: string): Schema {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')) as Schema;
}

/** What is wrong with the value, each with its place; empty where it fits. */
export function violations(schema: Schema, value: unknown): string[] {
  return check(schema, value, '$', schema);
}

function check(schema: Schema, value: unknown, at: string, root: Schema): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (NOTES.includes(keyword)) return [];
    const keep = (fits: boolean): string[] =>
      fits ? [] : [`${at}: ${JSON.stringify(value)} breaks ${keyword} ${JSON.stringify(rule)}`];
    switch (keyword) {
      case '$ref':
        return check(definition(root, String(rule)), value, at, root);
      case 'type':
        return keep(isOfType(value, String(rule)));
      case 'const':
        return keep(value === rule);
      case 'enum':
        return keep((rule as unknown[]).includes(value));
      case 'minimum':
        return keep(typeof value !== 'number' || value >= Number(rule));
      case 'pattern':
        return keep(typeof value !== 'string' || new RegExp(String(rule)).test(value));
      case 'anyOf':
        return keep((rule as Schema[]).some((each) => check(each, value, at, root).length === 0));
      case 'items':
        if (!Array.isArray(value)) return [];
        return value.flatMap((item, n) => check(rule as Schema, item, `${at}[${n}]`, root));
      case 'required':
        return isObject(value)
          ? (rule as string[]).filter((name) => !(name in value)).map((name) => `${at}: no ${name}`)
          : [];
      case 'properties':
        return isObject(value)
          ? Object.entries(rule as Record<string, Schema>).flatMap(([name, each]) =>
              name in value ? check(each, value[name], `${at}.${name}`, root) : [],
            )
          : [];
      case 'additionalProperties': {
        if (!isObject(value)) return [];
        const known = Object.keys(schema['properties'] ?? {});
        const others = Object.keys(value).filter((name) => !known.includes(name));
        if (rule === false) return others.map((name) => `${at}: ${name} is not in the schema`);
        return others.flatMap((name) => check(rule as Schema, value[name], `${at}.${name}`, root));
      }
      default:
        throw new Error(`The schema has ${keyword}, which this check does not know.`);
    }
  });
}

function definition(root: Schema, ref: string): Schema {
  const name = /^#\/\$defs\/(\w+)$/.exec(ref)?.[1] ?? '';
  const found = (root['$defs'] as Record<string, Schema>)[name];
  if (found === undefined) throw new Error(`The schema has no ${ref}.`);
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      throw new Error(`The schema has the type ${type}, which this check does not know.`);
  }
}
