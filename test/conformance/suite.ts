// Runs the conformance suite's command line and reads what it found. Every run ends within its time limit, together
// with all that it started.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchVariable, type Launch } from './launch.ts';

/** One thing that a scenario looked at. Scenarios also note traffic, as `INFO`. */
export interface Check {
  id: string;
  description: string;
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  errorMessage?: string;
  details?: unknown;
}

export interface SuiteRun {
  exitCode: number;
  /** All output of the suite and of what it launched. */
  output: string;
  /** By scenario. */
  checks: ReadonlyMap<string, readonly Check[]>;
  /** Whether a process of the run outlived it (and was killed). */
  leftProcesses: boolean;
}

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
const suiteFile = join(dirname(manifest), 'dist/index.js');
const clientFile = resolve(import.meta.dirname, 'client.ts');
const orphanGraceMs = 2_000;

/** The names of all scenarios that test a server, or a client. */
export async function listScenarios(role: 'server' | 'client'): Promise<string[]> {
  const { output } = await runSuite(['list', `--${role}`], {}, 20_000);
  return [...output.matchAll(/^ +- (\S+)/gm)].map(([, name]) => name ?? '');
}

/** Tests our client against the suite's server for one scenario. */
export function testClient(
  scenario: string,
  launch: Launch | 'direct',
  timeoutMs: number,
): Promise<SuiteRun> {
  const { execPath } = process;
  const args = ['client', '--command', `"${execPath}" "${clientFile}"`, '--scenario', scenario];
  const how = launch === 'direct' ? launch : JSON.stringify(launch);
  return runSuite([...args, '--timeout', String(timeoutMs)], { [launchVariable]: how }, timeoutMs + 5_000);
}

/** Tests the server at a URL with every scenario there is, one after the other. */
export function testServer(url: string, timeoutMs: number): Promise<SuiteRun> {
  return runSuite(['server', '--url', url, '--suite', 'all'], {}, timeoutMs);
}

/** What a failed assertion about a scenario should say. */
export function describeRun(checks: readonly Check[] | undefined, output = ''): string {
  const findings = (checks ?? [])
    .filter(({ status }) => status !== 'SUCCESS')
    .map((check) => {
      const { status, id, description, errorMessage = '', details } = check;
      return `${status} ${id}: ${description} ${errorMessage} ${JSON.stringify(details ?? {}).slice(0, 500)}`;
    });
  return [
    checks ? 'The suite found:' : 'The suite recorded nothing.',
    ...findings,
    output.slice(-12_000),
  ].join('\n');
}

async function runSuite(args: string[], env: Record<string, string>, timeoutMs: number): Promise<SuiteRun> {
  const results = await mkdtemp(join(tmpdir(), 'mcp-conformance-results-'));
  try {
    const saved = args[0] === 'list' ? [] : ['--output-dir', results];
    // A process group of its own, so that the suite, the client and the bridge can be ended together.
    const child = spawn(process.execPath, [suiteFile, ...args, ...saved], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${process.execPath} could not be started`);
    let output = '';
    const collect = (chunk: string): void => void (output += chunk);
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const exited = new Promise<number>((done) => child.once('exit', (code) => done(code ?? -1)));
    const timedOut = sleep(timeoutMs, 'timed out' as const, { ref: false });
    const exitCode = await Promise.race([exited, timedOut]);
    if (exitCode === 'timed out') output += `\nThe suite did not end within ${timeoutMs} ms and was killed.`;
    const leftProcesses = await endGroup(pid, exitCode === 'timed out' ? 0 : orphanGraceMs);
    return {
      exitCode: exitCode === 'timed out' ? -1 : exitCode,
      output,
      checks: await readChecks(results),
      leftProcesses,
    };
  } finally {
    await rm(results, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Waits for the rest of a process group to end, then kills it; says whether there was anything to kill. */
async function endGroup(pid: number, graceMs: number): Promise<boolean> {
  const until = performance.now() + graceMs;
  while (performance.now() < until) {
    if (!signalGroup(pid, 0)) return false;
    await sleep(50);
  }
  return signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: 0 | 'SIGKILL'): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false; // No process of the group is left.
  }
}

/** Reads `<results>/[server-]<scenario>-<timestamp>/checks.json`; scenario names may hold a slash. */
async function readChecks(results: string): Promise<Map<string, Check[]>> {
  const files = (await readdir(results, { recursive: true })).filter((file) => file.endsWith('checks.json'));
  const entries = files.map(async (file): Promise<[string, Check[]]> => {
    const [, scenario = file] = /^(?:server-)?(.+?)-\d{4}-\d\d-\d\dT/.exec(dirname(file)) ?? [];
    return [scenario, JSON.parse(await readFile(join(results, file), 'utf8')) as Check[]];
  });
  return new Map(await Promise.all(entries));
}
