import { sleep, type Clock } from '../platform/clock.ts';
import type { MessageSink, ResponseResult } from './response-reader.ts';
import type { Wire } from './wire.ts';

const TRIES = 3;
/** The wait after the first try, in milliseconds; after the second it is twice as long. */
const DELAY_MS = 300;

/**
 * Sends a notification or a response, again where the connection breaks: taking one twice changes nothing at the service.
 * Never rejects.
 * @param sink takes messages that the service puts into its response
 */
export async function sendWithRetries(
  wire: Wire,
  body: Buffer,
  sink: MessageSink,
  clock: Clock,
  signal: AbortSignal,
): Promise<ResponseResult> {
  for (let tries = 1; ; tries += 1) {
    const result = await wire.post(body, { sink, signal, expectsAnswer: false });
    if (result.kind !== 'broken' || tries === TRIES) return result;
    if (!(await sleep(clock, DELAY_MS * tries, signal))) return { kind: 'aborted' };
  }
}
