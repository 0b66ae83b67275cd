// What a session needs of a transport. Two kinds exist: Streamable HTTP, and HTTP+SSE of revision 2024-11-05.

import type { Signal } from '../platform/abort.ts';
import type { Content } from '../protocol/envelope.ts';
import type { MessageSink, ReadOptions, ResponseResult } from './response-reader.ts';

export interface Wire {
  readonly kind: 'streamable-http' | 'http+sse';
  /** True where a request's answer comes on the one listening stream and its POST only accepts it. */
  readonly answersOnListen: boolean;
  /** Whether requests name a session that the service could have forgotten. */
  readonly hasSession: boolean;
  /** Sends one message. Never rejects. */
  post(body: Content, options: PostOptions): Promise<ResponseResult>;
  /** Goes on with an event stream that broke or was closed early. Never rejects. */
  resume(lastEventId: string, options: PostOptions): Promise<ResponseResult>;
  /** Tells the service that the session is over, where the transport has a way to. Never rejects. */
  end(signal: AbortSignal): Promise<void>;
}

/** `expectsAnswer` is false for notifications and responses, which the service only accepts. */
export interface PostOptions extends ReadOptions {
  readonly signal: Signal;
  /** Use a connection of its own, which becomes the first of new ones when the service answers on it. */
  readonly fresh?: boolean;
}

export const NO_MESSAGES: MessageSink = { deliver: () => {}, ready: () => undefined };
