// Messages for unit tests, read by the scanner that the program uses.
import { scanEnvelope, type Envelope } from '../../src/protocol/envelope.ts';

/** The message in this text, or of this value. Throws where it is none. */
export function messageOf(source: string | object): Envelope {
  const text = typeof source === 'string' ? source : JSON.stringify(source);
  const scan = scanEnvelope(Buffer.from(text));
  if (scan.kind !== 'message') throw new Error(`${scan.kind}: ${text}`);
  return scan.message;
}

/** A request with this id and method. */
export function requestOf(id: number | string, method: string, params?: object): Envelope {
  return messageOf({ jsonrpc: '2.0', id, method, ...(params === undefined ? undefined : { params }) });
}
