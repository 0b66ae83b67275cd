// What a front has to know of a line, read from as few of its bytes as possible: nearly every message of every known
// implementation shows its id within its first or last few bytes. Where one does not, the whole line is scanned.

import { isDigit, standsAt, wholeNumberIn } from '../protocol/bytes.ts';
import { idKey, scanEnvelope, type Envelope, type ScanResult } from '../protocol/envelope.ts';
import type { Asked } from './ledger.ts';
import type { LinePieces } from './line-splitter.ts';

/** Any id but one with escapes in it, or with characters beyond ASCII. */
const ID = String.raw`-?\d{1,20}|"[ !#-\[\]-~]{0,120}"`;
const HEAD_BYTES = 192;
const TAIL_BYTES = 160;
const REPLY_HEAD = new RegExp(`^\\{"jsonrpc":"2\\.0","id":(${ID}),"(?:result|error)":`);
const REPLY_TAIL = new RegExp(`,"id":(${ID})\\}\\r?\\n$`);
const REQUEST_HEAD = new RegExp(`^\\{"jsonrpc":"2\\.0","id":(${ID}),"method":"([\\w/$-]{1,80})"[,}]`);
const METHOD_HEAD = /^\{"method":"([\w/$-]{1,80})",/;
/** Shorter lines from the client, which nobody has checked yet, are always scanned. */
const SCAN_BELOW_BYTES = 16 * 1024;

// Most ids are numbers in one of two places. They are read byte by byte: what has just been woken up has no code in the processor's
// caches, and a regular expression needs a lot of it.

const HEAD = Buffer.from('{"jsonrpc":"2.0","id":');
const OUTCOMES = [Buffer.from(',"result":'), Buffer.from(',"error":')];
const METHOD = [Buffer.from(',"method":"')];
const RESULT_FIRST = Buffer.from('{"result":');
const METHOD_FIRST = Buffer.from('{"method":"');
const ID_LAST = Buffer.from(',"id":');

/** The id at the front, with one of these behind it. */
function numberAtHead(bytes: Buffer, next: readonly Buffer[]): string | undefined {
  if (!standsAt(HEAD, bytes, 0)) return undefined;
  const start = HEAD.length;
  let end = start;
  while (isDigit(bytes[end])) end += 1;
  for (const text of next) if (standsAt(text, bytes, end)) return numberIn(bytes, start, end);
  return undefined;
}

/** The id at the end. Nothing but the last member of the outermost object can stand between a comma and the line's last brace. */
function numberAtTail(line: LinePieces, head: Buffer): string | undefined {
  if (!standsAt(head, line[0] as Buffer, 0)) return undefined;
  const last = line.at(-1) as Buffer;
  const end = last.length - 2;
  if (last[end] !== 0x7d) return undefined;
  let start = end;
  while (isDigit(last[start - 1])) start -= 1;
  return standsAt(ID_LAST, last, start - ID_LAST.length) ? numberIn(last, start, end) : undefined;
}

function numberIn(bytes: Buffer, start: number, end: number): string | undefined {
  const isWritten = end - start === 1 || (end > start && bytes[start] !== 0x30);
  const number = isWritten ? wholeNumberIn(bytes, start, end) : -1;
  return number < 0 ? undefined : String(number);
}

/**
 * The id (as a key) that a line of the daemon's answers. Undefined where it is no answer or does not show at a glance.
 * The daemon has scanned what it sends: valid JSON, no member twice. That is what makes the glance sure.
 */
export function glanceAtReply(line: LinePieces): string | undefined {
  const first = line[0] as Buffer;
  const shown = numberAtHead(first, OUTCOMES) ?? numberAtTail(line, RESULT_FIRST);
  if (shown !== undefined) return shown;
  const head = first.toString('latin1', 0, HEAD_BYTES);
  const atHead = REPLY_HEAD.exec(head);
  if (atHead !== null) return atHead[1];
  if (!head.startsWith('{"result":') && !head.startsWith('{"error":')) return undefined;
  const last = line.at(-1) as Buffer;
  // Nothing but the last member of the outermost object can stand between a comma and the line's last brace.
  return REPLY_TAIL.exec(last.toString('latin1', Math.max(0, last.length - TAIL_BYTES)))?.[1];
}

export type ClientLine =
  | { readonly kind: 'request'; readonly key: string; readonly method: string; readonly message?: Envelope }
  | { readonly kind: 'notification' | 'response'; readonly message: Envelope }
  /** A batch, or no message at all; where the daemon answers it, with what names that answer. */
  | { readonly kind: 'odd'; readonly asked: Asked | undefined }
  /** A batch of which these go their own ways; the line has the requests alone, and `asked` is undefined where there is none. */
  | {
      readonly kind: 'mixed';
      readonly asked: Asked | undefined;
      readonly line: LinePieces;
      readonly others: readonly Envelope[];
    }
  | { readonly kind: 'blank' };

/** What shows at a glance that it is a request; undefined where it may be one all the same. */
function glanceAtRequest(line: LinePieces): { readonly key: string; readonly method: string } | undefined {
  const head = (line[0] as Buffer).toString('latin1', 0, HEAD_BYTES);
  const [, key, method] = REQUEST_HEAD.exec(head) ?? [];
  if (key !== undefined && method !== undefined) return { key, method };
  const named = METHOD_HEAD.exec(head)?.[1];
  if (named === undefined) return undefined;
  const last = line.at(-1) as Buffer;
  const atTail = REPLY_TAIL.exec(last.toString('latin1', Math.max(0, last.length - TAIL_BYTES)))?.[1];
  return atTail === undefined ? undefined : { key: atTail, method: named };
}

/** The key of a line that seems to be a request; undefined where it may be one all the same. */
export function keyShown(line: Buffer): string | undefined {
  const shown = numberAtHead(line, METHOD) ?? numberAtTail([line], METHOD_FIRST);
  return shown ?? glanceAtRequest([line])?.key;
}

export function readClientLine(line: LinePieces): ClientLine {
  const shown = sizeOf(line) >= SCAN_BELOW_BYTES ? glanceAtRequest(line) : undefined;
  // Of a call nothing more has to be known; of what makes the conversation, as `initialize` does, all of it.
  if (shown?.method === 'tools/call') return { kind: 'request', ...shown };
  const bytes = joined(line);
  if (bytes.length < 80 && bytes.toString('latin1').trim() === '') return { kind: 'blank' };
  const scan = scanEnvelope(bytes);
  switch (scan.kind) {
    case 'message': {
      const { message } = scan;
      if (message.kind !== 'request') return { kind: message.kind, message };
      return { kind: 'request', key: keyOf(message), method: message.method, message };
    }
    case 'batch':
      return readBatch(scan.elements);
    case 'invalid': {
      const isAnswered = scan.id !== null && scan.isRequest;
      return { kind: 'odd', asked: isAnswered ? { key: idKey(scan.id), method: '' } : undefined };
    }
    case 'not-json':
      return { kind: 'odd', asked: undefined };
  }
}

function readBatch(elements: readonly ScanResult[]): ClientLine {
  const messages = elements.flatMap((element) => (element.kind === 'message' ? [element.message] : []));
  const requests = messages.filter(({ kind }) => kind === 'request');
  const others = messages.filter(({ kind }) => kind !== 'request');
  const asked = batchOf(requests.map(keyOf));
  // What is no message is named in the reply, so the line stays as it is.
  if (others.length === 0 || messages.length < elements.length) return { kind: 'odd', asked };
  const text = requests.map(({ bytes }) => bytes.toString()).join(',');
  return { kind: 'mixed', asked, line: [Buffer.from(`[${text}]\n`)], others };
}

/** A batch is named by the first of its requests; one without any gets no answer. */
function batchOf(keys: readonly string[]): Asked | undefined {
  return keys[0] === undefined ? undefined : { key: `[${keys[0]}`, method: '', batch: keys };
}

/** The message's id as a map key. */
export function keyOf(message: Envelope): string {
  return message.id === null ? 'null' : idKey(message.text(message.id));
}

export function joined(line: LinePieces): Buffer {
  return line.length === 1 ? (line[0] as Buffer) : Buffer.concat(line);
}

export function sizeOf(line: LinePieces): number {
  let size = 0;
  for (const piece of line) size += piece.length;
  return size;
}
