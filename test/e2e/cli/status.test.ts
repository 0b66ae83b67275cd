// `mcp-bridge status`, `reset`, `stop` and the help, through the real program, against the real folds behind a real socket.
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Observed } from '../../../src/observe/events.ts';
import type { Report } from '../../../src/cli/status-report.ts';
import { leaveNote } from '../../../src/platform/in-process-note.ts';
import { daemonSecretFile, resolvePaths } from '../../../src/platform/paths.ts';
import { answered, c1, healthyMorning, outage } from '../../observe/telling.ts';
import { CliProcess, runCli, useHome } from '../../support/cli-process.ts';
import type { ControlServer } from '../../support/control-server.ts';
import { readSchema, violations } from '../../support/json-schema.ts';
import { needsTools } from '../../support/needs.ts';
import { useControlServer } from '../../support/use.ts';

const schema = readSchema('status.schema.json');

function tell({ observatory }: ControlServer, events: readonly Observed[]): void {
  for (const { labels, event } of events) observatory.observerFor(labels)(event);
}

async function useDaemon(events: readonly Observed[]): Promise<{ home: string; daemon: ControlServer }> {
  const home = useHome();
  const daemon = await useControlServer(home);
  tell(daemon, events);
  return { home, daemon };
}

describe('ST1 mcp-bridge status', () => {
  test.each<[string, readonly Observed[], number, RegExp]>([
    ['healthy', healthyMorning(), 0, /work {2}● healthy/],
    ['degraded', [...healthyMorning(), ...outage()], 1, /work {2}▲ degraded\n {2}what to do {2}Check that/],
  ])('%s: says so, and exits with its code', async (_what, events, code, words) => {
    const { home } = await useDaemon(events);
    const outcome = await runCli(home, ['status']);
    expect(outcome).toMatchObject({ code, stderr: '' });
    expect(outcome.stdout).toMatch(words);
    expect(outcome.stdout).not.toContain('\u001b');
  });

  test('not running: says so, and exits with 3', async () => {
    const outcome = await runCli(useHome(), ['status']);
    expect(outcome).toMatchObject({ code: 3, stderr: '' });
    expect(outcome.stdout).toMatch(/^mcp-bridge is not running\./);
  });

  test('FB5 a bridge without a daemon is told of', async () => {
    const home = useHome();
    const { stateDir } = resolvePaths({ MCP_BRIDGE_HOME: home });
    const since = new Date().toISOString();
    leaveNote(stateDir, { pid: process.pid, profile: 'work', reason: 'EROFS', since });
    const outcome = await runCli(home, ['status']);
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toContain('EROFS');
    const { stdout } = await runCli(home, ['status', '--json']);
    const report = JSON.parse(stdout) as Report;
    expect(violations(schema, report)).toEqual([]);
    expect(report.inProcess).toEqual([{ pid: process.pid, profile: 'work', reason: 'EROFS', since }]);
  });

  test.each<[string, readonly Observed[] | undefined, number]>([
    ['healthy', healthyMorning(), 0],
    ['degraded', outage(), 1],
    ['not-running', undefined, 3],
  ])('--json, %s: fits the schema, and has the same exit code', async (health, events, code) => {
    const { home } = events === undefined ? { home: useHome() } : await useDaemon(events);
    const outcome = await runCli(home, ['status', '--json']);
    expect(outcome).toMatchObject({ code, stderr: '' });
    const report = JSON.parse(outcome.stdout) as Report;
    expect(violations(schema, report)).toEqual([]);
    expect(report.health).toBe(health);
  });

  test('a daemon that refuses, or that makes no sense: says what to do, and exits with 1', async () => {
    const { home, daemon } = await useDaemon([]);
    daemon.answers.set('GET /status', { status: 200, body: '{"statusVersion":99}' });
    const odd = await runCli(home, ['status', '--json']);
    expect(odd).toMatchObject({ code: 1, stdout: '' });
    expect(odd.stderr).toContain('mcp-bridge stop');
    writeFileSync(daemonSecretFile(resolvePaths({ MCP_BRIDGE_HOME: home })), 'wrong');
    const refused = await runCli(home, ['status']);
    expect(refused.code).toBe(1);
    expect(refused.stdout.replaceAll('\n', ' ')).toContain('is not the right one');
  });

  test.each([
    [['status', '--jsn'], /Did you mean --json/],
    [['status', 'extra'], /"extra" is too much/],
    [['status', '--watch', '--json'], /choose one/],
    [['status', '--watch'], /needs a terminal/],
    [['logs', '-n', 'many'], /whole number/],
    [['logs', '--level', 'loud'], /one of error, info, debug/],
    [['doctor'], /Which service\?/],
    [['statsu'], /Did you mean status/],
  ])('%j is a usage error: exit code 2, and nothing on stdout', async (argv, words) => {
    const outcome = await runCli(useHome(), argv);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(words);
  });

  test.each(['--help', 'status --help', 'doctor --help', 'logs --help', 'run --help'])(
    'help: %s',
    async (argv) => {
      const outcome = await runCli(useHome(), argv.split(' '));
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout).toMatch(/^Usage: mcp-bridge/);
    },
  );
});

// util-linux's `script` gives a program a terminal.
describe('ST1 --watch on a terminal', () => {
  beforeEach((context) => needsTools(context, 'script'));
  const launcher = resolve(import.meta.dirname, '../../../bin/mcp-bridge.js');
  const enter = '\u001b[?1049h';
  const leave = '\u001b[?25h\u001b[?1049l';

  test('shows events as they happen, and leaves the terminal as it was', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    const command = `stty rows 30 cols 100; ${process.execPath} ${launcher} status --watch; echo "code $?"; stty -a`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, MCP_BRIDGE_HOME: home, TERM: 'xterm', SHELL: '/bin/sh' },
    });
    let text = '';
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const seen = async (what: string): Promise<void> => {
      const deadline = performance.now() + 10_000;
      while (!text.includes(what)) {
        if (performance.now() > deadline) throw new Error(`Not shown: ${what}\n${text}`);
        await new Promise((done) => setTimeout(done, 20));
      }
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.on('close', () => end());
    await seen('● healthy');
    while (daemon.observatory.hub.subscribers < 4) await new Promise((done) => setTimeout(done, 20));
    daemon.observatory.observerFor(c1)(answered(77));
    await seen('tools/call answered after 77.0 ms');
    child.stdin.write('q');
    await seen('code 0');
    child.stdin.end();
    await ended;
    expect(text.indexOf(enter)).toBeGreaterThanOrEqual(0);
    expect(text.lastIndexOf(leave)).toBeGreaterThan(text.lastIndexOf('\u001b[H'));
    expect(text.slice(text.lastIndexOf(leave))).toMatch(/ icanon .*(?<!-)echo /s);
  });
});

describe('ST6 mcp-bridge reset', () => {
  test.each([
    [[], ['POST /sessions/s1/reset', 'POST /sessions/s2/reset']],
    [['work'], ['POST /sessions/s1/reset']],
    [['s2'], ['POST /sessions/s2/reset']],
  ])('%j resets these sessions and says so', async (argv, posted) => {
    const other = healthyMorning().map((each) => ({ ...each, labels: { profile: 'other', session: 's2' } }));
    const { home, daemon } = await useDaemon([...healthyMorning(), ...other]);
    const outcome = await runCli(home, ['reset', ...argv]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const asked = daemon.asked.filter((what) => what.startsWith('POST'));
    expect(asked.toSorted()).toEqual(posted);
    expect(outcome.stdout.match(/^Session \S+ of \S+ was reset/gm)).toHaveLength(posted.length);
  });

  test('a name that nobody has is a usage error, with the nearest one', async () => {
    const { home } = await useDaemon(healthyMorning());
    const outcome = await runCli(home, ['reset', 'wrk']);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain('Did you mean "work"?');
  });

  test('a reset that fails is said to have failed', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    daemon.answers.set('POST /sessions/s1/reset', { status: 500, body: '' });
    const outcome = await runCli(home, ['reset']);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/s1 of work was not reset: .*500/);
  });

  test('a session that has gone meanwhile is said to have gone', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    daemon.answers.set('POST /sessions/s1/reset', { status: 404, body: '' });
    const outcome = await runCli(home, ['reset']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toBe('Session s1 of work has gone by itself; there was nothing to reset.\n');
  });

  test('without a daemon there is nothing to reset', async () => {
    const outcome = await runCli(useHome(), ['reset']);
    expect(outcome).toMatchObject({
      code: 3,
      stdout: 'mcp-bridge is not running, so there is no session to reset.\n',
    });
  });
});

describe('ST6 mcp-bridge stop', () => {
  test('asks the daemon to end, waits until it has, and says so', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    const outcome = await runCli(home, ['stop']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^mcp-bridge was stopped\./);
    expect(daemon.asked).toContain('POST /shutdown');
    expect(existsSync(`${home}/run/daemon.sock`)).toBe(false);
  });

  test('without a daemon there is nothing to stop', async () => {
    const outcome = await runCli(useHome(), ['stop']);
    expect(outcome).toMatchObject({
      code: 3,
      stdout: 'mcp-bridge is not running; there was nothing to stop.\n',
    });
  });

  test('a daemon that a client has started again at once is told from the one that was stopped', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    daemon.answers.set('POST /shutdown', { status: 200, body: '{"pid":1,"clients":1}' });
    const outcome = await runCli(home, ['stop']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^mcp-bridge was stopped \(pid 1\)\. A client that is still open/);
  });

  test('a daemon that refuses is said to run on', async () => {
    const { home } = await useDaemon(healthyMorning());
    rmSync(daemonSecretFile(resolvePaths({ MCP_BRIDGE_HOME: home })));
    const outcome = await runCli(home, ['stop']);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^mcp-bridge was not stopped:/);
  });
});

describe('ST4 mcp-bridge logs', () => {
  test('shows the last lines for a person, and those of a level', async () => {
    const { home, daemon } = await useDaemon([...healthyMorning(), ...outage()]);
    await daemon.observatory.close();
    const all = await runCli(home, ['logs']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toMatch(
      /^\S+Z info {2}work s1 session\.handshake streamable-http, revision 2025-11-25/m,
    );
    const errors = await runCli(home, ['logs', '--level', 'error', '--json']);
    expect(
      errors.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(['session.state']);
    const last = await runCli(home, ['logs', '-n', '1']);
    expect(last.stdout).toMatch(/^\S+ error work s1 session\.state TRANSIENT_FAILURE: No connection/);
    expect(last.stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test('says where the log will be when there is none', async () => {
    const outcome = await runCli(useHome(), ['logs']);
    expect(outcome).toMatchObject({ code: 0, stdout: '' });
    expect(outcome.stderr).toContain('mcp-bridge.log');
  });

  test('-f goes on with what is written, also in a new file, until it is told to end', async () => {
    const { home, daemon } = await useDaemon(healthyMorning());
    await daemon.observatory.close();
    const logs = new CliProcess(home, ['logs', '-f', '-n', '1']);
    await logs.says('answered after 310.0 ms');
    daemon.observatory.observerFor(c1)(answered(1));
    await daemon.observatory.close();
    await logs.says('answered after 1.0 ms');
    const path = `${resolvePaths({ MCP_BRIDGE_HOME: home }).stateDir}/mcp-bridge.log`;
    daemon.observatory.observerFor(c1)(answered(2));
    await daemon.observatory.close();
    renameSync(path, `${path}.1`);
    daemon.observatory.observerFor(c1)(answered(3));
    await daemon.observatory.close();
    await logs.says('answered after 3.0 ms');
    logs.kill('SIGTERM');
    const { code, stdout } = await logs.end();
    expect(code).toBe(0);
    expect(stdout.match(/answered after [123]\.0 ms/g)).toEqual([
      'answered after 1.0 ms',
      'answered after 2.0 ms',
      'answered after 3.0 ms',
    ]);
  });
});
