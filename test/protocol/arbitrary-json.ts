// Random JSON as text, written in all the ways in which JSON may be written: any white space, any escapes, any number
// text, members that stand twice.
import * as fc from 'fast-check';

/** White space that JSON allows between tokens. */
export const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });

/** `é` as `\u00e9`, in either case of the digits. */
export function escapeUnit(unit: string): string {
  const halves = Array.from({ length: unit.length }, (_, i) => unit.charCodeAt(i));
  return halves.map((half) => `\\u${half.toString(16).padStart(4, '0')}`).join('');
}

const plainUnit = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .filter((char) => JSON.stringify(char) === `"${char}"`);
const escapedUnit = fc.oneof(
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t'),
  plainUnit.map(escapeUnit),
  // Halves of a surrogate pair are no characters, and still JSON.
  fc.constantFrom('\\ud83d', '\\uDE00', '\\u0000', '\\uFfFf', '\\ud83d\\ude00'),
);

/** A string with its quotes. */
export const stringText = fc
  .array(fc.oneof({ weight: 4, arbitrary: plainUnit }, { weight: 1, arbitrary: escapedUnit }), {
    maxLength: 12,
  })
  .map((units) => `"${units.join('')}"`);

export const numberText = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1.50',
    '12345678901234567890',
    '1e400',
    '-1E-7',
    '0.10e+05',
    '-9007199254740993',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);

const scalarText = fc.oneof(stringText, numberText, fc.constantFrom('true', 'false', 'null'));

/** Names that mean something to the scanner, where they mean nothing: it must tell levels apart. */
const memberName = fc.oneof(
  stringText,
  fc.constantFrom('"id"', '"method"', '"params"', '"jsonrpc"', '"_meta"', '"progressToken"', '"\\u0069d"'),
);

/** Any JSON value, without white space around it. */
export const valueText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const padded = fc.tuple(space, tie('value'), space).map((parts) => parts.join(''));
  const member = fc
    .tuple(space, memberName, space, padded)
    .map(([before, name, after, value]) => `${before}${name}${after}:${value}`);
  return {
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      scalarText,
      fc
        .tuple(space, fc.array(padded, { maxLength: 4 }))
        .map(([blank, items]) => `[${items.length === 0 ? blank : items.join(',')}]`),
      fc
        .tuple(space, fc.array(member, { maxLength: 4 }))
        .map(([blank, members]) => `{${members.length === 0 ? blank : members.join(',')}}`),
    ),
  };
}).value;

/** Any JSON text, with white space around it. */
export const jsonText = fc.tuple(space, valueText, space).map((parts) => parts.join(''));
