// Runs the project's own lint configuration over files that a test makes up, in a temporary project of their own.
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export interface Finding {
  /** As oxlint names it: `bridge(imports)`, `eslint(no-console)`. */
  rule: string;
  message: string;
  /** Below the directory that was linted, with `/`. */
  file: string;
}

/** Lints `paths` below `directory` with the configuration that lies there. Rejects when oxlint itself fails. */
export async function lint(directory: string, paths: readonly string[]): Promise<Finding[]> {
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=json', ...paths],
    // Its child that reads types finds the tool's files from here.
    { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000, killSignal: 'SIGKILL' },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await new Promise((done, fail) => child.once('close', done).once('error', fail));
  let report: { diagnostics: { code: string; message: string; filename: string }[] };
  try {
    report = JSON.parse(output) as typeof report;
  } catch (cause) {
    throw new Error(`oxlint did not report:\n${output}${errors}`, { cause });
  }
  return report.diagnostics.map(({ code, message, filename }) => ({
    rule: code,
    message,
    file: filename.replaceAll('\\', '/'),
  }));
}

/** Lints `files` (path → text) as if they were the project's. */
export async function lintFixture(files: Readonly<Record<string, string>>): Promise<Finding[]> {
  const project = await realpath(await mkdtemp(join(tmpdir(), 'mcp-bridge-lint-')));
  try {
    for (const shared of ['node_modules', 'scripts'])
      await symlink(join(root, shared), join(project, shared));
    for (const file of ['.oxlintrc.json', 'tsconfig.json'])
      await copyFile(join(root, file), join(project, file));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(project, path)), { recursive: true });
      await writeFile(join(project, path), text);
    }
    return await lint(project, Object.keys(files));
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}
