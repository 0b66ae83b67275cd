// The conformance suite tests a client that reaches the suite's servers through the bridge: SDK client on stdio →
// bridge → the suite. A scenario that needs no sign-in and passes without the bridge has to pass with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launches, prepareLaunch, type Launch } from './launch.ts';
import { describeRun, listScenarios, testClient, type Check } from './suite.ts';

const timeoutMs = 20_000;

/** What each scenario shows of the bridge. */
const scenarios: Record<string, string> = {
  initialize: 'BR1, BR2: the handshake reaches the service as the client wrote it',
  tools_call: 'BR1, FB4: a tool of a service without sessions is called',
  'elicitation-sep1034-client-defaults': 'BR5: a request on the GET stream is answered, defaults included',
  'sse-retry': 'BR8: a stream that closes early is resumed after its `retry`, with `Last-Event-ID`',
};

/** Scenarios that need a sign-in are not run yet; the rest is run completely. */
const needsSignIn = (scenario: string): boolean => scenario.startsWith('auth/');

it('covers every client scenario of the suite that needs no sign-in', async () => {
  const listed = await listScenarios('client');
  expect(listed.filter((scenario) => !needsSignIn(scenario))).toEqual(Object.keys(scenarios));
});

describe.each(launches)('conformance as a client, $name', (kind) => {
  let launch: Launch & AsyncDisposable;
  beforeAll(async () => {
    // The suite's servers end when nobody is connected any more.
    launch = await prepareLaunch({ ...kind, env: { ...kind.env, MCP_BRIDGE_LINGER_MS: '0' } });
  });
  afterAll(() => launch[Symbol.asyncDispose]());

  it.for(Object.entries(scenarios))('%s (%s)', { timeout: 2 * timeoutMs }, async ([scenario]) => {
    let run = await testClient(scenario, launch, timeoutMs);
    // A reconnect that is 200 ms late earns a warning, and a busy machine is enough for that: once more, then.
    if (scenario === 'sse-retry' && run.exitCode !== 0) run = await testClient(scenario, launch, timeoutMs);
    const found = run.checks.get(scenario);
    const message = describeRun(found, run.output);
    const isBad = ({ status }: Check): boolean => status === 'FAILURE' || status === 'WARNING';
    expect(found?.filter(isBad), message).toEqual([]);
    expect(found?.filter(({ status }) => status === 'SUCCESS').length, message).toBeGreaterThan(0);
    expect(run.exitCode, message).toBe(0);
    expect(run.leftProcesses, `A process outlived the scenario.\n${message}`).toBe(false);
  });
});
