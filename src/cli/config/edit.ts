// `mcp-bridge config edit`: the config file in the person's own editor. What is edited is a copy, which takes the file's place only when it
// is a config file.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { confirm } from '@clack/prompts';
import { ConfigError } from '../../config/config-file.ts';
import { readRaw, replaceConfig } from '../../config/user-config.ts';
import { UsageError, type CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

const KNOWN = ['sensible-editor', 'nano', 'vim', 'vi'];

export async function editConfig({ paths, env, stdout, stderr }: CommandContext): Promise<number> {
  const [program, ...words] = editorOf(env);
  const before = readRaw(paths.configFile) ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-config-'));
  const copy = join(folder, 'config.json');
  writeFileSync(copy, before === '' ? '{}\n' : before, { mode: 0o600 });
  for (;;) {
    await runEditor(program, [...words, copy]);
    const text = readFileSync(copy, 'utf8');
    if (text === before || (before === '' && text === '{}\n')) {
      rmSync(folder, { recursive: true });
      stdout.write('Nothing was changed.\n');
      return EXIT.ok;
    }
    try {
      replaceConfig(paths, before, text);
      rmSync(folder, { recursive: true });
      stdout.write(`${paths.configFile} was changed.\n`);
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      stderr.write(`mcp-bridge: ${error.message}\n`);
      const again =
        process.stdin.isTTY && stdout.isTTY && (await confirm({ message: 'Edit it again?' })) === true;
      if (again) continue;
      stderr.write(`${paths.configFile} is as it was; what you wrote is in ${copy}.\n`);
      return EXIT.degraded;
    }
  }
}

/** By convention these may hold words of their own: `code --wait`. No shell reads them. */
function editorOf(env: CommandContext['env']): [string, ...string[]] {
  const [program, ...words] = (env['VISUAL'] || env['EDITOR'] || '')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (program !== undefined) return [program, ...words];
  if (process.platform === 'win32') return ['notepad.exe'];
  const folders = (env['PATH'] ?? '').split(delimiter);
  const found = KNOWN.find((name) => folders.some((folder) => existsSync(join(folder, name))));
  if (found !== undefined) return [found];
  throw new UsageError('No editor was found: name one in the variable EDITOR.');
}

/** @throws UsageError where it cannot be started, or fails */
function runEditor(program: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: 'inherit' });
    child.once('error', (error) =>
      reject(new UsageError(`The editor ${program} cannot be started (${error.message}).`)),
    );
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new UsageError(`The editor ${program} ended with exit code ${code}; nothing was changed.`));
    });
  });
}
