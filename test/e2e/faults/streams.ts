// A tool call whose answer streams: progress comes while it runs, and the rest when the test lets it.
import { notificationText } from '../../support/scripted/messages.ts';
import type { JsonObject } from '../../support/scripted/messages.ts';
import type { Action } from '../../support/scripted-service.ts';

/** Runs the call (its execution is counted), reports two steps, waits for `released`, reports a third and answers. */
export const streaming =
  (released: Promise<unknown>): Action =>
  async (exchange) => {
    const meta = exchange.message.params?.['_meta'] as JsonObject | undefined;
    const stream = exchange.openStream();
    const report = (progress: number): void =>
      stream.send(
        notificationText('notifications/progress', {
          progressToken: meta?.['progressToken'],
          progress,
          total: 3,
        }),
      );
    const answer = await exchange.execute();
    report(1);
    report(2);
    await released;
    report(3);
    if (answer !== undefined) stream.send(answer);
    stream.complete();
  };
