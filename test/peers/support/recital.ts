// What the tests of broken streams share: a service that can resume, and what the client heard of its `recite` tool.
import type { Scope } from './scope.ts';
import { connectThroughBridge, type Peer } from './sdk-client.ts';
import { SdkService, type ServiceShape } from './sdk-server.ts';

const retryMs = 30;

export async function startResumable(
  scope: Scope,
  shape: ServiceShape = {},
): Promise<{ service: SdkService; peer: Peer }> {
  const service = await SdkService.start(scope, { resumable: true, retryMs, ...shape });
  return { service, peer: await connectThroughBridge(scope, service.url) };
}

export const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** What the client heard from the nth run of `recite`, in order. */
export const recited = (peer: Peer, run: number) =>
  peer
    .heard('notifications/message')
    .filter(({ params }) => params.logger === `run ${run}`)
    .map(({ params }) => params.data as number);
