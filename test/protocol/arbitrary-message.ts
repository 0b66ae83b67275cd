// Random JSON-RPC messages as text, together with the raw text of each part that the scanner has to find in them.
import * as fc from 'fast-check';
import { escapeUnit, jsonText, numberText, space, stringText, valueText } from './arbitrary-json.ts';

export interface SampleMessage {
  readonly kind: 'request' | 'notification' | 'response';
  /** With white space around it and in it. */
  readonly text: string;
  readonly method: string;
  /** The raw text of `id`. */
  readonly id: string | undefined;
  /** By the scanner's names of spans, the raw text of each part that is there. */
  readonly parts: Readonly<Record<string, string>>;
}

interface Member {
  readonly name: string;
  readonly value: string;
}

/** `"id"`, or the same name with one letter or all of them escaped. */
function nameText(name: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(`"${name}"`) },
    { weight: 1, arbitrary: fc.constant(`"${escapeUnit(name)}"`) },
    {
      weight: 1,
      arbitrary: fc
        .nat(name.length - 1)
        .map((i) => `"${name.slice(0, i)}${escapeUnit(name.charAt(i))}${name.slice(i + 1)}"`),
    },
  );
}

/** Members that nobody looks for, some with the parts' names one level too deep. */
const noise: fc.Arbitrary<Member[]> = fc.uniqueArray(
  fc.record({
    name: fc.oneof(
      stringText.filter((name) => !KNOWN.has(String(JSON.parse(name)))),
      fc.constantFrom('"Id"', '"ids"', '"meta"', '"progresstoken"', '"para\\u006ds2"', '"__proto__"', '""'),
    ),
    value: fc.oneof(
      valueText,
      fc.constantFrom(
        '{"id":1,"method":"no","params":{"name":2}}',
        '[{"id":3,"jsonrpc":"1.0"}]',
        '{"_meta":{"progressToken":4}}',
        '{"params":{"_meta":{"progressToken":5}}}',
      ),
    ),
  }),
  { maxLength: 3, selector: ({ name }) => String(JSON.parse(name)) },
);
const KNOWN = new Set(
  'jsonrpc id method result error params name uri level task requestId progressToken _meta'.split(' '),
);

/** An object with these members in any order, with white space anywhere. */
function objectText(members: readonly Member[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.shuffledSubarray([...members], { minLength: members.length }),
      fc.array(fc.tuple(space, space, space, space), {
        minLength: members.length,
        maxLength: members.length,
      }),
    )
    .map(([ordered, spaces]) => {
      const written = ordered.map(({ name, value }, i) => {
        const [a, b, c, d] = spaces[i] as [string, string, string, string];
        return `${a}${name}${b}:${c}${value}${d}`;
      });
      return `{${written.join(',')}}`;
    });
}

/** The members with these names and values, their names written in any way. */
function membersOf(values: Readonly<Record<string, string | undefined>>): fc.Arbitrary<Member[]> {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return fc.tuple(
    ...given.map(([name, value]) => nameText(name).map((written) => ({ name: written, value }))),
  );
}

function withNoise(values: Readonly<Record<string, string | undefined>>): fc.Arbitrary<string> {
  return fc.tuple(membersOf(values), noise).chain(([members, others]) => objectText([...members, ...others]));
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const idText = fc.oneof(numberText, stringText, fc.constantFrom('0', '-1', '""', '"\\u0061"'));

interface Params {
  readonly text: string;
  readonly parts: Readonly<Record<string, string | undefined>>;
}

const params: fc.Arbitrary<Params> = fc
  .record({
    name: maybe(valueText),
    uri: maybe(stringText),
    level: maybe(stringText),
    task: maybe(valueText),
    requestId: maybe(idText),
    progressToken: maybe(idText),
    metaProgressToken: maybe(idText),
  })
  .chain(({ metaProgressToken, ...direct }) =>
    (metaProgressToken === undefined
      ? fc.constant(undefined)
      : withNoise({ progressToken: metaProgressToken })
    )
      .chain((meta) => withNoise({ ...direct, _meta: meta }))
      .map((text) => ({ text, parts: { ...direct, metaProgressToken } })),
  );

const methodText = fc.oneof(
  fc.constantFrom('"tools/call"', '"initialize"', '"notifications/progress"', '"tools\\/list"'),
  stringText,
);

const body = fc.oneof(
  fc.record({ kind: fc.constant('request' as const), id: idText, method: methodText, params: maybe(params) }),
  fc.record({ kind: fc.constant('notification' as const), method: methodText, params: maybe(params) }),
  fc.record({ kind: fc.constant('response' as const), id: idText, result: valueText }),
  fc.record({
    kind: fc.constant('response' as const),
    id: fc.oneof(idText, fc.constant('null')),
    error: valueText,
  }),
);

/** A message that JSON-RPC 2.0 allows. */
export const sampleMessage: fc.Arbitrary<SampleMessage> = body.chain((given) => {
  const { kind } = given;
  const id = 'id' in given ? given.id : undefined;
  const method = 'method' in given ? given.method : undefined;
  const result = 'result' in given ? given.result : undefined;
  const error = 'error' in given ? given.error : undefined;
  const written = 'params' in given ? given.params : undefined;
  const all = { params: written?.text, result, error, ...written?.parts };
  const parts = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return fc
    .tuple(space, withNoise({ jsonrpc: '"2.0"', id, method, params: written?.text, result, error }), space)
    .map((texts) => ({
      kind,
      text: texts.join(''),
      method: method === undefined ? '' : String(JSON.parse(method)),
      id,
      parts,
    }));
});

/** The text of any message, or of a batch of them with other values between. */
export const messageText = fc.oneof(
  { weight: 3, arbitrary: sampleMessage.map(({ text }) => text) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          sampleMessage.map(({ text }) => text),
          jsonText,
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((texts) => `[${texts.join(',')}]`),
  },
);
