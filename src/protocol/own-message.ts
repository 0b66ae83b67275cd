import { scanEnvelope, type Envelope } from './envelope.ts';

/** A message of the bridge's own making. */
export function ownMessage(text: string): Envelope {
  const scan = scanEnvelope(Buffer.from(text));
  if (scan.kind !== 'message') throw new Error(`not a message: ${text.slice(0, 80)}`);
  return scan.message;
}
