// Resumptions that do not go well at the first try: refused for now.
import { describe, expect, test } from 'vitest';
import { oneTo, recited, startResumable } from './support/recital.ts';
import { pause, testScope, until } from './support/scope.ts';
import { losses } from './support/sdk-server-tools.ts';

describe.each(losses)('a stream that is %s', (loss) => {
  test.each([[503], [429], [409]])(
    'BR8 BR13 a resumption that is refused for now (%i) is tried again',
    async (status) => {
      const { service, peer } = await startResumable(testScope());
      await until('the stream of the server', () => service.of('GET').length === 1);
      service.refusals.push(status, status);
      expect(await peer.callText('recite', { steps: 4, loseAfter: [2], loss })).toBe('run 1 recited 4');
      expect(recited(peer, 1)).toEqual(oneTo(4));
      expect(service.executions).toEqual({ recite: 1 });
      expect(service.refusals).toEqual([]);
    },
  );

  // The call was under way when its stream broke: that the session is gone by now does not make it safe to send again.
  test.each([[404], [400]])(
    'RT4 BR13 a resumption that is refused for good (%i) is answered as unknown, and the call is not sent again',
    async (status) => {
      const { service, peer } = await startResumable(testScope());
      await until('the stream of the server', () => service.of('GET').length === 1);
      service.refusals.push(...Array.from({ length: 20 }, () => status));
      await expect(peer.callText('recite', { steps: 4, loseAfter: [2], loss })).rejects.toMatchObject({
        data: { code: 'ERR_UPSTREAM_OUTCOME_UNKNOWN' },
      });
      expect(service.executions).toEqual({ recite: 1 });
      expect(service.received('tools/call')).toHaveLength(1);
    },
  );
});

// 409: the server has not noticed yet that the former stream is dead; 400: it no longer knows the event.
test.each([[503], [409], [400]])(
  'BR5 SE6 the stream of the server comes back though it is refused with %i for now',
  async (status) => {
    const { service, peer } = await startResumable(testScope());
    await until('the stream of the server', () => service.of('GET').length === 1);
    await peer.callText('announce');
    await peer.hears('notifications/tools/list_changed');
    service.refusals.push(status);
    service.cutOwnStreams();
    await until('the refusal and a try after it', () => service.of('GET').length >= 3);
    await pause(50);
    await peer.callText('announce');
    await peer.hears('notifications/tools/list_changed', 2);
    expect(service.received('initialize')).toHaveLength(1);
  },
);
