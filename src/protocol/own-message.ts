import { idText, scanEnvelope, type Envelope } from './envelope.ts';

/** A message of the bridge's own making. */
export function ownMessage(text: string): Envelope {
  const scan = scanEnvelope(Buffer.from(text));
  if (scan.kind !== 'message') throw new Error(`not a message: ${text.slice(0, 80)}`);
  return scan.message;
}

/** The answer to a `ping`. */
export function pong(request: Envelope): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idText(request)},"result":{}}`);
}
