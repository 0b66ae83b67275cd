// The shape of JSON-RPC messages as the tests look at them; nothing is validated here.
export interface Message {
  jsonrpc?: string;
  id?: string | number | null;
  method?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into messages of any shape
  params?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  result?: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  error?: { code: number; message: string; data?: any };
}

/** The messages in an HTTP body: none, one or a batch. A body that is not JSON holds none. */
export function messagesIn(body: string): Message[] {
  try {
    const value = JSON.parse(body) as Message | Message[];
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}
