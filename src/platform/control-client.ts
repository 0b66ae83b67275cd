// Asks the daemon: HTTP over its local socket, with the secret that only its user can read. Each answer says plainly whether
// nobody is there, somebody refuses, or something came back.

import { readFileSync } from 'node:fs';
import type { Signal } from './abort.ts';
import type { Clock } from './clock.ts';
import { BrokenResponse, requestOverSocket } from './socket-http.ts';

export type Answer =
  /** `status` below 400 is success; `body` is undefined where none came, a text where it was not JSON. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'not-running' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ControlClientOptions {
  /** A path, or the name of a pipe on Windows. */
  readonly socketPath: string;
  readonly secretFile: string;
  readonly clock: Clock;
  /** In milliseconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
/** The daemon says something at least every 15 s there. */
const EVENTS_SILENCE_MS = 45_000;
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_EVENT_CHARS = 1024 * 1024;

export class ControlClient {
  readonly #options: ControlClientOptions;

  constructor(options: ControlClientOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  get(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  /** Never rejects. */
  post(path: string): Promise<Answer> {
    return this.#ask('POST', path);
  }

  /**
   * Hands over each event of GET /events, parsed, until the daemon ends the stream or `signal` aborts. Never rejects.
   * @param onOpen called when the stream has begun
   */
  events(onEvent: (event: unknown) => void, signal: Signal, onOpen?: () => void): Promise<Answer> {
    const decoder = new TextDecoder();
    let text = '';
    return this.#exchange({
      method: 'GET',
      path: '/events',
      silenceMs: EVENTS_SILENCE_MS,
      signal,
      onHead: (status) => {
        if (status === 200) onOpen?.();
      },
      onData: (chunk) => {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        if (text.length > MAX_EVENT_CHARS) throw new BrokenResponse('an event has no end');
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data !== undefined) onEvent(parse(data));
        }
      },
      bodyOf: () => undefined,
    });
  }

  #ask(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    return this.#exchange({
      method,
      path,
      silenceMs: this.#options.timeoutMs ?? TIMEOUT_MS,
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) throw new BrokenResponse('the answer is too large');
        chunks.push(chunk);
      },
      bodyOf: () => (bytes === 0 ? undefined : parse(Buffer.concat(chunks).toString('utf8'))),
    });
  }

  async #exchange(
    parts: Omit<Parameters<typeof requestOverSocket>[0], 'socketPath' | 'headers' | 'clock'> & {
      readonly bodyOf: () => unknown;
    },
  ): Promise<Answer> {
    const { socketPath, secretFile, clock } = this.#options;
    const { bodyOf, ...request } = parts;
    const secret = readSecret(secretFile);
    const headers: Record<string, string> = secret === undefined ? {} : { Authorization: `Bearer ${secret}` };
    try {
      const status = await requestOverSocket({ ...request, socketPath, headers, clock });
      if (status !== 401 && status !== 403) return { kind: 'answered', status, body: bodyOf() };
      const why =
        secret === undefined
          ? `${secretFile} cannot be read`
          : `the secret in ${secretFile} is not the right one`;
      return { kind: 'refused', reason: `The daemon does not take orders from here: ${why}.` };
    } catch (error) {
      return judge(error as NodeJS.ErrnoException, socketPath);
    }
  }
}

function judge(error: NodeJS.ErrnoException, socketPath: string): Answer {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return { kind: 'not-running' };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'refused', reason: `${socketPath} belongs to another user, or its folder does.` };
    case undefined:
      return {
        kind: 'failed',
        reason: `The daemon at ${socketPath} gave no proper answer: ${error.message}.`,
      };
    default:
      return { kind: 'failed', reason: `The daemon at ${socketPath} cannot be reached (${error.code}).` };
  }
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
