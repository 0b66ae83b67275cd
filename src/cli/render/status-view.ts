// The status for a person, as lines of text. Pure: the same report gives the same lines.

import { printable } from '../../observe/describe.ts';
import type {
  ClientStatus,
  DaemonFacts,
  ProfileStatus,
  RequestCounts,
  SignInStatus,
} from '../../observe/status.ts';
import type { Finding, Report } from '../status-report.ts';
import type { Style } from './style.ts';
import { count, duration, number, sparkline, took, wrap } from './text.ts';

export interface View {
  readonly style: Style;
  readonly columns: number;
  /** With the course of the latency. */
  readonly withTrend: boolean;
  /** Only the profile that is worst off in full, and one line for each of the others. */
  readonly isBrief?: boolean;
}

const LABEL = 12;
const INDENT = 2;
/** Each client by name up to here; more are counted. */
const NAMED_CLIENTS = 4;
const STATE_WORDS = {
  READY: 'ready',
  IDLE: 'idle',
  CONNECTING: 'connecting',
  TRANSIENT_FAILURE: 'failing',
  SHUTDOWN: 'ended',
};

export function statusLines(finding: Finding, view: View): string[] {
  if (finding.kind === 'trouble') {
    return [
      view.style.bad('mcp-bridge cannot say how it is.'),
      ...wrapped([finding.reason, finding.advice], view),
    ];
  }
  const { report } = finding;
  return [...heading(report, view), ...inProcessLines(report, view), ...profileBlocks(report, view)];
}

function heading(report: Report, { style, columns }: View): string[] {
  if (report.instance === null) {
    if (report.inProcess.length > 0) return [style.warn('mcp-bridge is running without its daemon.')];
    const why =
      'That is fine while no client is open: it starts when a client such as Claude Desktop launches it, and ends ' +
      'some time after the last one has gone. Whether a service can be reached is shown by:';
    return [style.bold('mcp-bridge is not running.'), ...wrap(why, columns), '  mcp-bridge doctor'];
  }
  const { version, pid, startedAt, mode } = report.instance;
  const age = duration(Date.parse(report.at) - Date.parse(startedAt));
  const where = mode === 'in-process' ? ", inside its client's process" : '';
  const first = `${style.bold(`mcp-bridge ${printable(version)} is running`)} (pid ${pid}, for ${age}${where})`;
  const none = report.profiles.length === 0 ? ['No client has used it yet.'] : [];
  return [first, ...daemonLines(report.daemon, { style, columns }), ...none];
}

function daemonLines(
  daemon: DaemonFacts | undefined,
  { style, columns }: Pick<View, 'style' | 'columns'>,
): string[] {
  if (daemon === undefined) return [];
  const { state, faults, lastFault } = daemon;
  const leaving = {
    serving: '',
    draining: 'It makes room for a newer version.',
    ending: 'It is about to end.',
  };
  const where = lastFault === undefined ? '' : ` (the last: ${printable(lastFault)})`;
  const broken = `${count(faults, 'failure')} inside the bridge that nobody foresaw${where}. Please report this, with the log.`;
  return [
    ...(leaving[state] === '' ? [] : [style.warn(leaving[state])]),
    ...(faults === 0 ? [] : wrap(broken, columns).map((line) => style.warn(line))),
  ];
}

function inProcessLines({ inProcess, at }: Report, view: View): string[] {
  if (inProcess.length === 0) return [];
  const lines = inProcess.map(({ pid, profile, since, reason }) => {
    const age = duration(Date.parse(at) - Date.parse(since));
    return `${printable(profile)} in process ${pid}, for ${age}: ${printable(reason)}`;
  });
  const what = `${count(inProcess.length, 'bridge runs on its own', 'bridges run on their own')}, without a daemon:`;
  const next =
    'They work, but share no session and cannot be looked into. What is wrong is said behind each.';
  return [view.style.warn(what), ...[...lines, next].flatMap((line) => indented(line, view))];
}

function profileBlocks({ profiles, at }: Report, view: View): string[] {
  // What needs a person comes first, where a small window still shows it.
  const order = profiles.toSorted((a, b) => Number(a.health === 'healthy') - Number(b.health === 'healthy'));
  const now = Date.parse(at);
  const [first, ...others] = order;
  if (first === undefined || others.length === 0 || view.isBrief !== true)
    return order.flatMap((profile) => ['', ...profileLines(profile, now, view)]);
  return ['', ...others.map((profile) => briefLine(profile, view)), '', ...profileLines(first, now, view)];
}

function titleOf({ profile, health }: ProfileStatus, { style }: View): string {
  const mark = health === 'healthy' ? style.good('● healthy') : style.bad('▲ degraded');
  return `${style.bold(printable(profile))}  ${mark}`;
}

function briefLine(profile: ProfileStatus, view: View): string {
  const { state, clients, requests } = profile;
  const facts = [STATE_WORDS[state], count(clients.length, 'client'), count(requests.total, 'request')];
  return `${titleOf(profile, view)}  ${facts.join(', ')}`;
}

function profileLines(profile: ProfileStatus, now: number, view: View): string[] {
  const { style } = view;
  const rows: (readonly [string, string | undefined])[] = [
    ['service', profile.service === null ? undefined : printable(profile.service)],
    ['state', stateText(profile, now)],
    ['route', routeText(profile)],
    ['session', sessionText(profile, now)],
    ['clients', clientsText(profile.clients, now)],
    ['requests', requestsText(profile.requests)],
    ['repeats', repeatsText(profile.requests)],
    ['latency', latencyText(profile)],
    ['', view.withTrend ? trendText(profile, view) : undefined],
    ['sign-in', signInText(profile.signIn, now)],
    ['last error', errorText(profile, now)],
  ];
  return [
    titleOf(profile, view),
    ...(profile.advice === null ? [] : row('what to do', profile.advice, view, style.warn)),
    ...rows.flatMap(([label, text]) => (text === undefined ? [] : row(label, text, view))),
  ];
}

function row(label: string, text: string, view: View, paint = (line: string): string => line): string[] {
  const room = Math.max(20, view.columns - INDENT - LABEL);
  return wrap(text, room).map((line, n) => {
    const head = n === 0 ? label.padEnd(LABEL) : ' '.repeat(LABEL);
    return `${' '.repeat(INDENT)}${view.style.dim(head)}${paint(line)}`;
  });
}

function stateText({ state, since, reason, nextTryAt, health }: ProfileStatus, now: number): string {
  const next = nextTryAt === null ? '' : ` Next try in ${duration(Date.parse(nextTryAt) - now)}.`;
  const why = health === 'healthy' && state === 'READY' ? '' : `: ${printable(reason)}`;
  return `${STATE_WORDS[state]} (${state}) for ${duration(now - Date.parse(since))}${why}${next}`;
}

function routeText({ route, routeReason }: ProfileStatus): string {
  if (route === 'session') return 'session (one for all requests)';
  return `per-request (a session for each)${routeReason === null ? '' : `: ${printable(routeReason)}`}`;
}

function sessionText({ sessions, sessionSince, revision }: ProfileStatus, now: number): string | undefined {
  if (sessionSince === null)
    return revision === null ? undefined : `none now; revision ${printable(revision)}`;
  const handshakes = sessions.reduce((sum, each) => sum + each.handshakes, 0);
  const several = sessions.length > 1 ? `${sessions.length} sessions, this one ` : '';
  const last = sessions.find((each) => each.sessionSince === sessionSince);
  const cost = last?.handshakeMs == null ? '' : `, the last took ${took(last.handshakeMs)}`;
  const age = duration(now - Date.parse(sessionSince));
  return `${several}${age} old, revision ${printable(revision ?? '?')}, ${count(handshakes, 'handshake')}${cost}`;
}

function clientsText(clients: readonly ClientStatus[], now: number): string {
  if (clients.length === 0) return 'none attached';
  const named = clients.slice(0, NAMED_CLIENTS).map(({ name, version, attachedAt }) => {
    const who = [name, version].filter(Boolean).map((part) => printable(String(part)));
    return `${who.length === 0 ? 'unnamed' : who.join(' ')} (${duration(now - Date.parse(attachedAt))})`;
  });
  const more = clients.length > NAMED_CLIENTS ? ` and ${clients.length - NAMED_CLIENTS} more` : '';
  return `${clients.length}: ${named.join(', ')}${more}`;
}

function requestsText({ total, answered, failed, cancelled, failures }: RequestCounts): string {
  const codes = Object.entries(failures).map(([code, n]) => `${n} × ${code}`);
  const why = codes.length === 0 ? '' : ` (${codes.slice(0, 3).join(', ')}${codes.length > 3 ? ', …' : ''})`;
  return `${number(total)}: ${number(answered)} answered, ${number(failed)} failed${why}, ${number(cancelled)} cancelled`;
}

function repeatsText({ retries, replays, hedges, fallbacks }: RequestCounts): string {
  return [
    `${count(retries, 'retry', 'retries')} (${count(replays, 'replay')})`,
    count(hedges, 'hedge'),
    count(fallbacks, 'fallback'),
  ].join(', ');
}

function latencyText({ latency }: ProfileStatus): string {
  const { p50, p95, p99, window } = latency;
  if (p50 === null || p95 === null || p99 === null) return 'no request answered yet';
  const which = window === '5m' ? 'last 5 min' : 'since the start';
  return `p50 ${took(p50)}, p95 ${took(p95)}, p99 ${took(p99)} (${which}, ${count(latency.count, 'answer')})`;
}

function trendText({ latency }: ProfileStatus, view: View): string | undefined {
  const room = Math.max(10, view.columns - INDENT - LABEL - 24);
  const shown = latency.trend.slice(-room);
  const most = Math.max(0, ...shown.map((ms) => ms ?? 0));
  if (most === 0) return undefined;
  return `${sparkline(shown)} 0 to ${took(most)}, ${duration(shown.length * 5000)}`;
}

function signInText({ state, expiresAt }: SignInStatus, now: number): string {
  const left = expiresAt === null ? 0 : Date.parse(expiresAt) - now;
  // It renews itself as a rule: what ends then is the token, not the sign-in.
  const until = left <= 0 ? '' : `; the present token lasts another ${duration(left)}`;
  switch (state) {
    case 'none-needed':
      return 'none needed';
    case 'signed-in':
      return `signed in${until}`;
    case 'needed':
      return 'needed';
    case 'unknown':
      return 'not known yet';
  }
}

function errorText({ lastError, advice }: ProfileStatus, now: number): string | undefined {
  if (lastError === null) return undefined;
  const { at, code, message, remedy } = lastError;
  const ago = duration(now - Date.parse(at));
  // What is said above as what to do need not be said twice.
  const help = remedy === advice ? '' : ` ${remedy}`;
  return `${ago} ago, ${code}: ${printable(message)}${help}`;
}

function wrapped(lines: readonly string[], view: View): string[] {
  return lines.flatMap((line) => wrap(printable(line), view.columns));
}

function indented(line: string, view: View): string[] {
  return wrap(line, view.columns - INDENT).map((each) => `${' '.repeat(INDENT)}${each}`);
}
