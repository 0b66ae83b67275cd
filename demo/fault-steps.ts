// The steps in which something breaks: what the service does wrong, what the client saw of it, and what the notes file
// says, which is the only witness of what was done once, twice or not at all.
import { setTimeout as sleep } from 'node:timers/promises';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { call, check, checkOnce, findNotOnce, until } from './checks.ts';
import { formatMs } from './screen.ts';
import type { Stage } from './walkthrough.ts';

type Client = Stage['direct'];

const downMs = 500;

interface Outcome {
  title: string;
  /** What the bridge said instead of the service; undefined where the note was stored. */
  error?: McpError;
}

export async function killMidWork(stage: Stage): Promise<string> {
  const { bridge, service, notesFile, restartService, show } = stage;
  const earlier = service.counts.calls['slow_report'] ?? 0;
  const open = { reads: 5, writes: 5 };
  const reads = numbered(5, (i) =>
    readSlowly(bridge.client, `question ${i}`).finally(() => void (open.reads -= 1)),
  );
  // Looked at only at the end; until then an unexpected failure must not end this process.
  const early = Promise.all(reads);
  early.catch(() => undefined);
  await until(() => service.counts.calls['slow_report'] === earlier + 5, 'the reads have arrived');
  const died = service.faults.killAtCall('add_note', 3);
  const cut = Promise.all(
    numbered(5, (i) => write(bridge.client, `Under way ${i}`).finally(() => void (open.writes -= 1))),
  );
  cut.catch(() => undefined);
  await died;
  const struck = { ...open };
  check(struck.reads > 0, 'no read was under way when the service died');

  show('the service is down; ten more calls are asked');
  const arrivals: number[] = [];
  const note = <T>(value: T): T => {
    arrivals.push(performance.now());
    return value;
  };
  const late = Promise.all([
    Promise.all(numbered(5, (i) => write(bridge.client, `Meanwhile ${i}`).then(note))),
    Promise.all(numbered(5, () => call(bridge.client, 'list_notes', {}).then(note))),
  ]);
  late.catch(() => undefined);
  await sleep(downMs);
  check(arrivals.length === 0, 'a call was answered while no service was there');
  const revived = await restartService();
  const backAt = performance.now();
  show('the service is back');

  const [answers, underWay, [meanwhile]] = await Promise.all([early, cut, late]);
  const wrong = answers.filter((subject, i) => subject !== `question ${i + 1}`);
  check(wrong.length === 0, `${wrong.length} reads got the answer to another one`);
  const failed = meanwhile.find(({ error }) => error);
  check(failed === undefined, `a write that had not been sent failed: ${failed?.error?.message}`);
  const { handshakes } = revived.counts;
  check(handshakes === 1, `the new service counted ${handshakes} handshakes`);

  const written = [...underWay, ...meanwhile].filter(({ error }) => !error);
  await checkOnce(
    notesFile,
    written.map(({ title }) => title),
  );
  const unknown = underWay.filter(({ error }) => error);
  check(unknown.length > 0, 'no write was on its way when the service died');
  const { stored, repeated } = await settle(stage, unknown);
  await checkOnce(
    notesFile,
    [...underWay, ...meanwhile].map(({ title }) => title),
  );
  const [first = Number.NaN] = arrivals;
  const last = arrivals.at(-1) ?? Number.NaN;
  return [
    `killed under ${count(struck.reads, 'read')} and ${count(struck.writes, 'write')}; 10 more calls came while it was down for ${downMs} ms; all were answered`,
    `${count(unknown.length, 'write')} had been sent and got no answer: the client was told "outcome unknown", looked, found ${stored} stored and wrote the other ${repeated} again; each note is there exactly once`,
    `once the service was back: 1 handshake, first answer after ${formatMs(first - backAt)}, all who waited after ${formatMs(last - backAt)}`,
  ].join('\n');
}

export async function forgetSession({ bridge, service, notesFile }: Stage): Promise<string> {
  const { handshakes, refused, calls } = service.counts;
  const writesBefore = calls['add_note'] ?? 0;
  const forgotten = service.faults.forgetSessions();
  const startedAt = performance.now();
  const outcomes = Promise.all(numbered(10, (i) => write(bridge.client, `Forgotten ${i}`)));
  const reads = Promise.all(numbered(10, () => call(bridge.client, 'list_notes', {})));
  const [written] = await Promise.all([outcomes, reads, forgotten]);
  const ms = performance.now() - startedAt;

  const failed = written.find(({ error }) => error);
  check(failed === undefined, `a write failed: ${failed?.error?.message}`);
  const renewed = service.counts.handshakes - handshakes;
  check(renewed === 1, `the service counted ${renewed} new handshakes`);
  const writes = (calls['add_note'] ?? 0) - writesBefore;
  check(writes === 10, `the service carried out ${writes} writes`);
  await checkOnce(
    notesFile,
    written.map(({ title }) => title),
  );
  const turnedAway = service.counts.refused - refused;
  return [
    `10 reads and 10 writes at once, ${turnedAway} of them turned away (404): one handshake for all, then sent again`,
    `all 20 answered after ${formatMs(ms)}; the service carried out 10 writes, and each note is there exactly once`,
  ].join('\n');
}

export async function loseWriteAnswer({ bridge, service, notesFile }: Stage): Promise<string> {
  const { calls, handshakes } = service.counts;
  const before = calls['add_note'] ?? 0;
  service.faults.loseNextAnswer('add_note');
  const startedAt = performance.now();
  const { title, error } = await write(bridge.client, 'Answer lost');
  const ms = performance.now() - startedAt;
  check(error !== undefined, 'the client was told that it succeeded, without an answer of the service');
  await checkOnce(notesFile, [title]);
  // A repetition would come within the time that the next calls take as well; the step after this one counts them.
  await call(bridge.client, 'list_notes', {});
  const sent = (calls['add_note'] ?? 0) - before;
  check(sent === 1, `the write was sent ${sent} times`);
  check(service.counts.handshakes === handshakes, 'the session was given up');
  await checkOnce(notesFile, [title]);
  return [
    `stored, then the connection was cut; ${formatMs(ms)} after asking, the client was told:`,
    `"${error.message.replace(/^MCP error -\d+: /, '')}"`,
    'the service got the write once, and the note is there exactly once',
  ].join('\n');
}

export async function loseReadAnswer({ bridge, service }: Stage): Promise<string> {
  const { calls, handshakes } = service.counts;
  const before = calls['search_notes'] ?? 0;
  service.faults.loseNextAnswer('search_notes');
  const startedAt = performance.now();
  const found = await call<{ notes: { title: string }[] }>(bridge.client, 'search_notes', {
    query: 'sourdough',
  });
  const ms = performance.now() - startedAt;
  const titles = found.notes.map(({ title }) => title).join(', ');
  check(titles === 'Sourdough bread', `"sourdough" found ${titles || 'nothing'}`);
  const sent = (calls['search_notes'] ?? 0) - before;
  check(sent === 2, `the service was asked ${sent} times`);
  check(service.counts.handshakes === handshakes, 'the session was given up');
  return `cut in the same way; the service lists the tool as read-only, so the bridge asked again and the client had its answer after ${formatMs(ms)}`;
}

/** What a careful client does about writes of unknown outcome: it looks, and repeats what is not there. */
async function settle(
  { bridge, notesFile }: Stage,
  unknown: readonly Outcome[],
): Promise<{ stored: number; repeated: number }> {
  const titles = unknown.map(({ title }) => title);
  const notOnce = await findNotOnce(notesFile, titles);
  const missing = [...notOnce].flatMap(([title, times]) => (times === 0 ? [title] : []));
  for (const title of missing) {
    const { error } = await write(bridge.client, title);
    check(error === undefined, `writing "${title}" again failed: ${error?.message}`);
  }
  return { stored: titles.length - missing.length, repeated: missing.length };
}

async function readSlowly(client: Client, subject: string): Promise<string> {
  const answer = await call<{ subject: string }>(client, 'slow_report', { subject, seconds: 0.3, steps: 1 });
  return answer.subject;
}

/** Fails for every error but the one that says that nobody knows whether the note was stored. */
async function write(client: Client, title: string): Promise<Outcome> {
  try {
    await call(client, 'add_note', { title, text: 'Written while something broke.' });
    return { title };
  } catch (error) {
    check(error instanceof McpError, `"${title}": ${String(error)}`);
    const { code } = (error.data ?? {}) as { code?: unknown };
    check(code === 'ERR_UPSTREAM_OUTCOME_UNKNOWN', `"${title}" failed otherwise: ${error.message}`);
    return { title, error };
  }
}

function numbered<T>(length: number, make: (number: number) => T): T[] {
  return Array.from({ length }, (_, i) => make(i + 1));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
