// One cell of the fault matrix: a load meets a fault, and what must be true of it afterwards whatever the fault was.
import { expect } from 'vitest';
import { hangAfter } from '../../support/scripted-service.ts';
import type { Bounds, Fault, Load } from './fault.ts';
import { errorCode, firstTries, sendMixed, type Sent } from './requests.ts';
import { expectCleanEnd, joined, type World } from './world.ts';
import { fairMs } from '../../support/fair-time.ts';

/** Time that the machine itself may take, when many cells run at once, in milliseconds. */
const SLACK_MS = 2500;

/** Tries of one cell, and the time that the machine must have taken from one that is run again, in milliseconds. */
const TRIES = 3;
const STARVED_MS = 500;

const STREAM_MS = 800;

/**
 * A cell that failed while the machine had much else to do is run again: what it found may be the machine's doing, and its own time
 * limits are the bridge's, which no test can stretch.
 */
export async function runCell(fault: Fault, load: Load): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const from = performance.now();
    try {
      await tryCell(fault, load);
      return;
    } catch (error) {
      const lostMs = performance.now() - from - fairMs(from);
      if (tries === TRIES || lostMs < STARVED_MS) throw error;
      process.stdout.write(`${fault.name} × ${load}: once more, ${Math.round(lostMs)} ms were lost\n`);
    }
  }
}

async function tryCell(fault: Fault, load: Load): Promise<void> {
  await using world = await fault.open(load);
  try {
    await meetFault(world, fault, load);
  } catch (error) {
    throw new Error(
      `${fault.name} × ${load}: ${(error as Error).message}\n${world.bridge.log.slice(-4000)}`,
      {
        cause: error,
      },
    );
  }
}

async function meetFault(world: World, fault: Fault, load: Load): Promise<void> {
  const streams = load === 'streaming' ? world.sendStreams() : [];
  if (fault.isAtLaunch !== true) await world.streamsAreOpen(streams);
  const keys = new Set<string>();
  if (fault.sends === 'during') await fault.strike(world, keys, load);
  else world.service.always(firstTries(keys), hangAfter);
  const requests = sendLoad(world, load);
  for (const { key } of requests) keys.add(key);
  if (fault.sends === 'before') {
    await world.service.until(() => keys.size === 0, 10_000);
    await fault.strike(world, keys, load);
  }
  // Where each request meets the fault once, the streams beside them end a while after.
  if (fault.lastsMs === undefined) void sleep(STREAM_MS).then(() => world.finishStreams());
  else await sleep(fault.lastsMs);
  await fault.heal?.(world);
  const endedAt = fault.lastsMs === undefined ? undefined : performance.now();
  if (endedAt !== undefined) world.finishStreams();

  const news = endedAt === undefined ? [] : await sendNews(world);
  await Promise.all(requests.map(({ reply }) => reply));
  await Promise.all(streams.map(({ reply }) => reply));
  if (endedAt === undefined) news.push(...(await sendNews(world)));

  for (const each of requests) await expectOutcome(world, fault, each, fault.mayHaveRun, endedAt);
  for (const each of streams)
    await expectOutcome(world, ofStreams(fault), each, fault.streamMayHaveRun, endedAt);
  for (const each of news) {
    expect(await each.reply, 'a new request after it').toHaveProperty('result');
    expect(world.executions(each), `executions of the new ${each.kind}`).toBe(1);
    expectDuration(each.sentAt, each.repliedAt, { min: 0, max: fault.newRequestMs }, `new ${each.kind}, ms`);
  }
  for (const each of streams) expectProgress(world, each);
  const { min, max } = fault.handshakes(load);
  expectBetween(world.service.record.handshakes, { min, max: max + joined(world) }, 'handshakes');
  await expectCleanEnd(world);
}

/** The requests that are to meet the fault; a stream has two others beside it. */
function sendLoad(world: World, load: Load): Sent[] {
  switch (load) {
    case 'idle':
      return [];
    case 'streaming':
      return [world.send('read'), world.send('write')];
    case 'one read':
      return [world.send('read')];
    case 'one write':
      return [world.send('write')];
    case '50 mixed': {
      const mixed = sendMixed(world.bridge);
      world.sent.push(...mixed);
      return mixed;
    }
  }
}

/** A read, then a write: the read finds out what a write would have to risk. */
async function sendNews(world: World): Promise<Sent[]> {
  const read = world.send('read');
  await read.reply;
  const write = world.send('write');
  await write.reply;
  return [read, write];
}

async function expectOutcome(
  world: World,
  fault: Fault,
  request: Sent,
  mayHaveRun: boolean,
  endedAt: number | undefined,
): Promise<void> {
  const reply = await request.reply;
  const runs = world.executions(request);
  const from = fault.isBeside === true ? request.sentAt : (endedAt ?? request.sentAt);
  if (request.kind === 'write' && mayHaveRun) {
    expect(errorCode(reply), `${request.id}: ${JSON.stringify(reply)}`).toBe('ERR_UPSTREAM_OUTCOME_UNKNOWN');
    expect(reply.error!.message).toMatch(/unknown/);
    expect(runs, `executions of ${request.id}`).toBeLessThanOrEqual(1);
    expectDuration(from, request.repliedAt, fault.unknownMs ?? fault.replyMs, `${request.id}, ms`);
    return;
  }
  expect(reply, `${request.id}: ${JSON.stringify(reply.error)}`).toHaveProperty('result');
  expectDuration(from, request.repliedAt, fault.replyMs, `${request.id}, ms`);
  if (request.kind === 'list') return;
  // A read may be asked again while its stream is being resumed; what never reached the service runs once.
  const most = request.kind === 'write' || (!mayHaveRun && !request.isStream) ? 1 : 3;
  expectBetween(runs, { min: 1, max: most }, `executions of ${request.id}`);
}

/** Streams end when they are let, however long others had to wait. */
function ofStreams(fault: Fault): Fault {
  return { ...fault, isBeside: false, replyMs: { ...fault.replyMs, min: 0 } };
}

/** Progress never runs backwards or comes after the answer; a stream that went on or was repeated reported its last step. */
function expectProgress(world: World, stream: Sent): void {
  const steps = world.progressOf(stream) as number[];
  const lines = world.bridge.messages;
  const repliedAt = lines.findIndex(({ id, method }) => method === undefined && id === stream.id);
  const lastStepAt = lines.findLastIndex(
    ({ method, params }) => method === 'notifications/progress' && params?.['progressToken'] === stream.id,
  );
  expect(lastStepAt).toBeLessThan(repliedAt);
  if (world.executions(stream) === 1) expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
}

function expectBetween(actual: number, { min, max }: Bounds, what: string): void {
  expect(actual, what).toBeGreaterThanOrEqual(min);
  expect(actual, what).toBeLessThanOrEqual(max);
}

/** At least so long by the clock, and at most so long but for what the machine itself took. */
function expectDuration(from: number, to: number, { min, max }: Bounds, what: string): void {
  expect(to - from, what).toBeGreaterThanOrEqual(min);
  expect(fairMs(from, to), what).toBeLessThanOrEqual(max + SLACK_MS);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
