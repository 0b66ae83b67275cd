// The conformance suite tests a client that reaches the suite's servers through the bridge: SDK client on stdio →
// bridge → the suite. What passes without the bridge has to pass with it. For the scenarios about sign-in, `mcp-bridge login` signs in.
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

/** The same for sign-in. What each looks at is in the suite's own words. */
const signInScenarios = [
  'metadata-default',
  'metadata-var1',
  'metadata-var2',
  'metadata-var3',
  'basic-cimd',
  'scope-from-www-authenticate',
  'scope-from-scopes-supported',
  'scope-omitted-when-undefined',
  'scope-step-up',
  'scope-retry-limit',
  'token-endpoint-auth-basic',
  'token-endpoint-auth-post',
  'token-endpoint-auth-none',
  'pre-registration',
  '2025-03-26-oauth-metadata-backcompat',
  '2025-03-26-oauth-endpoint-fallback',
  'resource-mismatch',
  'offline-access-scope',
  'offline-access-not-supported',
  'client-credentials-jwt',
  'client-credentials-basic',
].map((name) => `auth/${name}`);

/** An extension for the identity provider of a company (SEP-990), which a bridge on a person's machine has no part in. */
const leftOut = ['auth/cross-app-access-complete-flow'];

it('covers every client scenario of the suite but one', async () => {
  const listed = await listScenarios('client');
  expect(listed).toEqual([...Object.keys(scenarios), ...signInScenarios, ...leftOut]);
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

  // Where the bridge runs makes no difference to `login`, so one of each kind is enough the second time.
  const few = ['auth/metadata-default', 'auth/scope-step-up', 'auth/client-credentials-jwt'];
  it.concurrent.for(kind.sharesSessions ? few : signInScenarios)(
    'AU1 AU4 %s',
    { timeout: 3 * timeoutMs },
    async (scenario, { expect: expectHere }) => {
      const { checks, output, exitCode } = await testClient(scenario, launch, 2 * timeoutMs);
      const found = checks.get(scenario);
      const message = describeRun(found, output);
      const isBad = ({ status }: Check): boolean => status === 'FAILURE' || status === 'WARNING';
      expectHere(found?.filter(isBad), message).toEqual([]);
      expectHere(found?.filter(({ status }) => status === 'SUCCESS').length, message).toBeGreaterThan(0);
      expectHere(exitCode, message).toBe(0);
    },
  );
});
