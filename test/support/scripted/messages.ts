// JSON-RPC as the scripted service sees it: parsed leniently, with the text of ids and other numbers kept, so that an
// answer carries the very id that was asked with (`12345678901234567890` does not become `12345678901234567000`).

export type JsonObject = { [key: string]: unknown };

/** One JSON-RPC message, or something that only claims to be one: every field may be missing. */
export interface RpcMessage {
  id?: unknown;
  method?: string;
  params?: JsonObject;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

// What TypeScript's libraries do not declare yet of https://github.com/tc39/proposal-json-parse-with-source
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
}
const json = JSON as unknown as JsonWithSource;

/** Parses; a number whose text would change by a round trip is kept as raw text, which `JSON.stringify` writes back. */
export function parseKeepingNumbers(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

/** The messages of a body: one, several (a batch) or none when it is no JSON. */
export function parseMessages(text: string): RpcMessage[] {
  let value: unknown;
  try {
    value = parseKeepingNumbers(text);
  } catch {
    return [];
  }
  const all = Array.isArray(value) ? (value as unknown[]) : [value];
  return all.filter((each): each is RpcMessage => typeof each === 'object' && each !== null);
}

/** Stable text for an id, usable as a key: `1` and `"1"` differ. */
export const idTextOf = (id: unknown): string => JSON.stringify(id) ?? 'null';

export const isRequest = (m: RpcMessage): boolean => m.method !== undefined && m.id !== undefined;
export const isAnswer = (m: RpcMessage): boolean => m.method === undefined && m.id !== undefined;

export const notificationText = (method: string, params?: object): string =>
  JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }) });

export const resultText = (idText: string, result: unknown): string =>
  `{"jsonrpc":"2.0","id":${idText},"result":${JSON.stringify(result)}}`;

export const errorText = (idText: string, code: number, message: string): string =>
  `{"jsonrpc":"2.0","id":${idText},"error":${JSON.stringify({ code, message })}}`;
