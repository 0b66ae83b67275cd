// The steps of the walkthrough, in order. Each does one thing through the bridge, checks it, and returns what it saw
// in words; it throws when something is not as its title says.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { sendBadInput } from './bad-input.ts';
import type { Exit, Heard } from './bridge-process.ts';
import { call, check, until } from './checks.ts';
import { quantile, timePerRequest, timePersistent } from './comparison.ts';
import { forgetSession, killMidWork, loseReadAnswer, loseWriteAnswer } from './fault-steps.ts';
import { formatMs } from './screen.ts';
import { serviceInfo } from './service-sessions.ts';
import type { Stage } from './walkthrough.ts';

interface Step {
  /** Begins a part of the walkthrough. */
  heading?: string;
  title: string;
  run(stage: Stage): Promise<string>;
}

const notes = [
  { title: 'Sourdough bread', text: 'Flour, water, salt, and a day of patience.', tags: ['kitchen'] },
  { title: 'Bicycle', text: 'The chain is worn; 114 links, 11 gears.', tags: ['repair'] },
  { title: 'Walk to the lake', text: 'Start at the mill. Bring bread for lunch.', tags: ['trips'] },
];
const listChanged = 'notifications/resources/list_changed';
const exitLimitMs = 2_000;

export const steps: readonly Step[] = [
  { title: 'Launch the bridge: initialize is answered by the service', run: launch },
  { title: 'List the tools: the same as the service gives directly', run: listTools },
  { title: 'Write notes and search them: they are in the file of the service', run: writeAndSearch },
  { title: '20 calls at once: each answer reaches its own question', run: callAtOnce },
  { title: 'A slow call: its progress is live', run: followProgress },
  { title: 'A talking call: its log messages arrive while it runs', run: followLog },
  { title: 'A cancelled call: the service stops working on it', run: cancel },
  { title: 'A 1 MiB document: every byte arrives', run: fetchDocument },
  { title: 'News: a note that somebody else adds is announced', run: hearNews },
  { title: 'Bad input: it gets a proper error, and the rest goes on', run: survivesBadInput },
  {
    heading: 'What goes wrong with hosted services, and what the bridge does',
    title: 'The service is killed under its work, and started again',
    run: killMidWork,
  },
  { title: 'The service forgets the session: one new handshake, nothing twice', run: forgetSession },
  { title: 'The answer to a write is lost: it is said so, and not repeated', run: loseWriteAnswer },
  { title: 'The answer to a read is lost: it is asked for again', run: loseReadAnswer },
  {
    heading: 'What a session saves',
    title: 'One session for many requests: measure 20 calls',
    run: measurePersistent,
  },
  { title: 'A new session for every request: measure 5 calls', run: measurePerRequest },
  { title: 'The client leaves: exit code 0 and no session left, within 2 s', run: leave },
];

async function launch({ bridge, service }: Stage): Promise<string> {
  const before = service.counts.handshakes;
  await bridge.launch();
  const { name, version } = bridge.client.getServerVersion() ?? {};
  check(name === serviceInfo.name, `the answer came from "${name}"`);
  const handshakes = service.counts.handshakes - before;
  check(handshakes === 1, `the service counted ${handshakes} handshakes`);
  return `${name} ${version} answered; the service counted 1 handshake`;
}

async function listTools({ bridge, direct }: Stage): Promise<string> {
  const [through, directly] = await Promise.all([bridge.client.listTools(), direct.listTools()]);
  check(through.tools.length > 0, 'the list is empty');
  check(isDeepStrictEqual(through, directly), 'the two lists differ');
  return through.tools.map(({ name }) => name).join(', ');
}

async function writeAndSearch({ bridge, notesFile }: Stage): Promise<string> {
  for (const note of notes) await call(bridge.client, 'add_note', note);
  const file = await readFile(notesFile, 'utf8');
  for (const { title } of notes) check(file.includes(title), `"${title}" is not in the file`);
  const found = await call<{ notes: { title: string }[] }>(bridge.client, 'search_notes', { query: 'bread' });
  const titles = found.notes.map(({ title }) => title).join(', ');
  check(titles === 'Sourdough bread, Walk to the lake', `"bread" found ${titles || 'nothing'}`);
  return `${notes.length} notes written; "bread" finds ${titles}`;
}

async function callAtOnce({ bridge, show }: Stage): Promise<string> {
  const startedAt = performance.now();
  const arrived: number[] = [];
  // The first question takes longest, so that the answers overtake one another.
  const seconds = Array.from({ length: 20 }, (_, i) => (20 - i) * 0.02);
  const answers = await Promise.all(
    seconds.map(async (each, i) => {
      const args = { subject: `question ${i}`, seconds: each, steps: 1 };
      const answer = await call<{ subject: string }>(bridge.client, 'slow_report', args);
      show(`${arrived.push(i)} of 20`);
      return answer.subject;
    }),
  );
  const wrong = answers.filter((subject, i) => subject !== `question ${i}`);
  check(wrong.length === 0, `${wrong.length} answers went to the wrong question`);
  const alone = seconds.reduce((sum, each) => sum + each, 0);
  const ms = performance.now() - startedAt;
  // Not by their order: on a busy machine the last question may reach the service after the first one's answer is due.
  check(ms < alone * 500, `they took ${formatMs(ms)}, as if one waited for the other`);
  const overtook = arrived.filter((question, place) => question !== place).length;
  return `${overtook} answers in another order than asked; one by one it is ${alone.toFixed(1)} s, it took ${formatMs(ms)}`;
}

async function followProgress({ bridge, show }: Stage): Promise<string> {
  const from = bridge.heard.length;
  const startedAt = performance.now();
  const request = { name: 'slow_report', arguments: { subject: 'bread', seconds: 1, steps: 5 } };
  await bridge.client.callTool(request, undefined, {
    onprogress: ({ progress, total = progress }) => show('▰'.repeat(progress) + '▱'.repeat(total - progress)),
  });
  const { values, timesMs, answerMs } = readTalk(
    bridge,
    from,
    startedAt,
    'notifications/progress',
    'progress',
  );
  check(values.join() === '1,2,3,4,5', `the reports before the answer were ${values.join(', ') || 'none'}`);
  return `reports after ${timesMs.map(Math.round).join(', ')} ms, the answer after ${Math.round(answerMs)} ms`;
}

async function followLog({ bridge, show }: Stage): Promise<string> {
  const from = bridge.heard.length;
  const startedAt = performance.now();
  bridge.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) =>
    show(String(params.data)),
  );
  await bridge.client.callTool({ name: 'stream_lines', arguments: { lines: 8, interval_ms: 50 } });
  const { values, timesMs, answerMs } = readTalk(bridge, from, startedAt, 'notifications/message', 'data');
  const expected = Array.from({ length: 8 }, (_, i) => `line ${i + 1} of 8`);
  check(values.join() === expected.join(), `the lines before the answer were ${values.join(', ') || 'none'}`);
  return `8 lines in order, the first after ${formatMs(timesMs[0] ?? 0)}, the answer after ${formatMs(answerMs)}`;
}

/** What a call said before its answer: one value of each notification, and when it came. Fails if it came all at once. */
function readTalk(
  { heard }: Stage['bridge'],
  from: number,
  startedAt: number,
  method: string,
  key: string,
): { values: unknown[]; timesMs: number[]; answerMs: number } {
  const answer = heard.findIndex(({ type }, i) => i >= from && type === 'answer');
  const answerMs = (heard[answer]?.atMs ?? Number.NaN) - startedAt;
  const said = heard
    .slice(from, answer)
    .flatMap((each) => (each.type === 'call' && each.method === method ? [each] : []));
  const timesMs = said.map(({ atMs }) => atMs - startedAt);
  check(timesMs[0] === undefined || timesMs[0] < answerMs / 2, 'everything came only with the answer');
  return { values: said.map(({ params }) => params[key]), timesMs, answerMs };
}

async function cancel({ bridge, service, show }: Stage): Promise<string> {
  const { abandoned, calls } = service.counts;
  const earlier = calls['slow_report'];
  const abort = new AbortController();
  const request = { name: 'slow_report', arguments: { subject: 'everything', seconds: 60 } };
  const outcome = bridge.client.callTool(request, undefined, { signal: abort.signal }).then(
    () => 'answered',
    () => 'cancelled',
  );
  await until(() => calls['slow_report'] !== earlier, 'the call has arrived');
  show('the call runs');
  const cancelledAt = performance.now();
  const from = bridge.heard.length;
  abort.abort('changed my mind');
  check((await outcome) === 'cancelled', 'the call was answered all the same');
  await until(() => service.counts.abandoned === abandoned + 1, 'the service stops');
  const ms = performance.now() - cancelledAt;
  await call(bridge.client, 'list_notes', {});
  const answers = bridge.heard.slice(from).filter(({ type }) => type === 'answer').length;
  check(answers === 1, 'the cancelled call was answered as well'); // The one is the list's.
  return `a call of 60 s stopped ${formatMs(ms)} after the client said so; the next request was answered`;
}

async function fetchDocument({ bridge }: Stage): Promise<string> {
  const result = await bridge.client.callTool({ name: 'large_document', arguments: { kib: 1024 } });
  const [{ text } = { text: '' }] = result.content as { text: string }[];
  const { sha256 } = result.structuredContent as { sha256: string };
  check(text.length === 1024 * 1024, `${text.length} bytes arrived`);
  check(createHash('sha256').update(text).digest('hex') === sha256, 'the checksum differs');
  return `${text.length} bytes, SHA-256 ${sha256.slice(0, 12)}… as the service computed it`;
}

async function hearNews({ bridge, direct }: Stage): Promise<string> {
  const from = bridge.heard.length;
  const findNews = (): Heard | undefined =>
    bridge.heard.slice(from).find((each) => each.type === 'call' && each.method === listChanged);
  const { note } = await call<{ note: { id: string } }>(direct, 'add_note', {
    title: 'Hello',
    text: 'From the side.',
  });
  const addedAt = performance.now();
  await until(() => findNews() !== undefined, 'the bridge passes on that the resources have changed');
  const { contents } = await bridge.client.readResource({ uri: `notes://note/${note.id}` });
  const [content] = contents;
  check(
    content !== undefined && 'text' in content && content.text.includes('From the side.'),
    'it cannot be read',
  );
  const lateMs = Math.max(0, (findNews()?.atMs ?? Number.NaN) - addedAt);
  return `announced ${formatMs(lateMs)} after it was stored, and read as a resource`;
}

async function survivesBadInput({ launchRaw }: Stage): Promise<string> {
  const raw = launchRaw();
  const { answered, codes } = await sendBadInput(raw);
  checkExit(await raw.close());
  return `a second bridge answered ${answered} good lines, and ${codes.length} bad ones with ${codes.join(', ')}`;
}

async function measurePersistent({ bridge, service, timings, show }: Stage): Promise<string> {
  const before = service.counts.handshakes;
  timings.persistent = await timePersistent(bridge.client, 20, (done) => show(`${done} of 20`));
  check(service.counts.handshakes === before, 'the service counted a new handshake');
  return `p50 ${formatMs(quantile(timings.persistent, 0.5))}; no new handshake`;
}

async function measurePerRequest({ service, timings, show }: Stage): Promise<string> {
  const before = service.counts.handshakes;
  timings.perRequest = await timePerRequest(service.url, 5, (done) => show(`${done} of 5`));
  const handshakes = service.counts.handshakes - before;
  check(handshakes === 5, `the service counted ${handshakes} handshakes`);
  const ratio = quantile(timings.perRequest, 0.5) / quantile(timings.persistent, 0.5);
  // A loaded machine slows the short calls most; `npm run bench` is where the figure itself is put to the test.
  check(ratio >= 3, `the persistent session is only ${ratio.toFixed(1)} times as fast`);
  return `p50 ${formatMs(quantile(timings.perRequest, 0.5))}; a handshake for each, on the service's own address`;
}

async function leave({ bridge, connectDirect, service }: Stage): Promise<string> {
  const other = await connectDirect(); // Its session must outlive that of the bridge.
  const before = { deletes: service.counts.deletes, sessions: service.sessions };
  const exit = await bridge.close();
  checkExit(exit);
  const deletes = service.counts.deletes - before.deletes;
  check(deletes === 1, `the service got ${deletes} DELETE requests`);
  check(service.sessions === before.sessions - 1, `the service still has ${service.sessions} sessions`);
  await other.ping();
  const answered = bridge.heard.flatMap((each) => (each.type === 'answer' ? [each.id] : []));
  check(new Set(answered).size === answered.length, 'a request was answered twice');
  return `ended ${formatMs(exit.ms)} after its stdin, code 0; DELETE came; of ${answered.length} answers none came twice`;
}

function checkExit({ code, signal, ms }: Exit): void {
  check(code === 0, signal ? `the bridge was ended by ${signal}` : `the bridge ended with code ${code}`);
  check(ms < exitLimitMs, `it took ${formatMs(ms)}`);
}
