// The conformance suite tests our service through the bridge: the suite → a shim from HTTP to stdio → bridge → service.
// Each session of the suite is one bridge of its own, from its launch to its exit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStdioShim } from '../support/stdio-shim.ts';
import type { SessionEnd } from './http-host.ts';
import { launches, prepareLaunch } from './launch.ts';
import { startConformanceServer } from './server.ts';
import { describeRun, listScenarios, testServer, type SuiteRun } from './suite.ts';

const timeoutMs = 90_000;

/** What each scenario shows of the bridge. */
const scenarios: Record<string, string> = {
  'server-initialize': 'BR1, BR2: the handshake',
  'logging-set-level': 'BR1: the log level',
  ping: 'BR1: a ping',
  'completion-complete': 'BR1: completion',
  'tools-list': 'BR1: tools',
  'tools-call-simple-text': 'BR1: a result of text',
  'tools-call-image': 'BR4: a result that is an image',
  'tools-call-audio': 'BR4: a result that is a sound',
  'tools-call-embedded-resource': 'BR4: a result that is a resource',
  'tools-call-mixed-content': 'BR4: a result of several kinds',
  'tools-call-with-logging': 'BR7: log messages while a call runs',
  'tools-call-error': 'BR1: a tool that fails',
  'tools-call-with-progress': 'BR7: progress while a call runs',
  'tools-call-sampling': 'BR5: sampling in the middle of a call',
  'tools-call-elicitation': 'BR5: elicitation in the middle of a call',
  'json-schema-2020-12': 'BR4: schema keywords that nothing in between knows',
  'elicitation-sep1034-defaults': 'BR4, BR5: elicitation with defaults',
  'server-sse-polling': 'BR8: a call whose stream the service closes before the answer',
  'server-sse-multiple-streams': 'BR3: three calls at once',
  'elicitation-sep1330-enums': 'BR4, BR5: elicitation with choices',
  'resources-list': 'BR1: resources',
  'resources-read-text': 'BR1: a resource of text',
  'resources-read-binary': 'BR4: a resource of bytes',
  'resources-templates-read': 'BR1: a resource from a template',
  'resources-subscribe': 'BR1: a subscription',
  'resources-unsubscribe': 'BR1: the end of a subscription',
  'prompts-list': 'BR1: prompts',
  'prompts-get-simple': 'BR1: a prompt',
  'prompts-get-with-args': 'BR1: a prompt with arguments',
  'prompts-get-embedded-resource': 'BR4: a prompt with a resource',
  'prompts-get-with-image': 'BR4: a prompt with an image',
  'dns-rebinding-protection': "the shim's own, for a complete run",
};

/**
 * Talks to the shim as a client of 2025-03-26, for which no server closes a stream early: the warnings that this earns
 * are about the shim. On its other side the service does close the stream, and the answer has to come all the same.
 */
const warnsAboutTheShim = new Set(['server-sse-polling']);

it('covers every server scenario of the suite', async () => {
  expect(await listScenarios('server')).toEqual(Object.keys(scenarios));
});

describe.each(launches)('conformance as a server, $name', (kind) => {
  let run: SuiteRun;
  let launched: number;
  let sessionEnds: readonly SessionEnd[];
  let handshakes: number;
  let faults: readonly string[];
  const cleanup = new AsyncDisposableStack();

  beforeAll(async () => {
    const service = await startConformanceServer();
    cleanup.defer(() => service.close());
    const launch = cleanup.use(await prepareLaunch(kind));
    const shim = await startStdioShim({ ...launch, args: [...launch.args, service.url] });
    try {
      run = await testServer(shim.url, timeoutMs);
    } finally {
      await shim[Symbol.asyncDispose]();
    }
    await kind.stop?.(launch);
    ({ launched, faults } = shim);
    ({ opened: handshakes, ends: sessionEnds } = service);
  }, timeoutMs + 20_000);
  afterAll(() => cleanup.disposeAsync());

  it.each(Object.entries(scenarios))('%s (%s)', (scenario) => {
    const found = run.checks.get(scenario);
    const message = describeRun(found, found ? '' : run.output);
    const bad = warnsAboutTheShim.has(scenario) ? ['FAILURE'] : ['FAILURE', 'WARNING'];
    expect(
      found?.filter(({ status }) => bad.includes(status)),
      message,
    ).toEqual([]);
    expect(found?.length, message).toBeGreaterThan(0);
  });

  it('answers a call whose stream the service closed early (BR8)', () => {
    const found = run.checks.get('server-sse-polling');
    expect(found, describeRun(found, run.output)).toContainEqual(
      expect.objectContaining({
        id: 'server-sse-disconnect-resume',
        details: expect.objectContaining({ receivedToolResponse: true }),
      }),
    );
  });

  it('launches one bridge for each session of the suite (BR1)', () => {
    // Each scenario connects once; the one about DNS rebinding is let in once of two times.
    expect(launched).toBe(Object.keys(scenarios).length);
  });

  it('makes one handshake a bridge, or fewer where they share: nothing passed by a silent reconnect (BR1)', () => {
    const most = kind.sharesSessions ? launched / 2 : launched;
    const least = kind.sharesSessions ? 1 : launched;
    expect(handshakes).toBeGreaterThanOrEqual(least);
    expect(handshakes).toBeLessThanOrEqual(most);
  });

  it('ends each session with DELETE when what holds it ends (BR10)', () => {
    expect(handshakes).toBeGreaterThan(0);
    expect(sessionEnds).toEqual(Array(handshakes).fill('deleted'));
  });

  it('writes messages only, none after the answer, and ends cleanly when stdin does (BR7, BR9, BR10)', () => {
    expect(faults).toEqual([]);
  });
});
