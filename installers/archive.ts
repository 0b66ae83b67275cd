// Archives that come out the same for whoever makes them of the same commit.
import { spawnSync } from 'node:child_process';
import { root } from './platforms.ts';
import { runTool } from './run-tool.ts';

/** When the commit was made, in seconds; a package's files are no younger than that. */
export function sourceDate(): string {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d+$/.test(given)) return given;
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return /^\d+/.exec(stdout ?? '')?.[0] ?? String(Math.floor(Date.now() / 1000));
}

/** Packs the folder `name` of `parent` into a tar.gz. */
export function makeTarGz(parent: string, name: string, file: string): void {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const args = [...same, `--mtime=@${sourceDate()}`, '--use-compress-program=gzip -n', '-cf', file];
  runTool('tar', 'tar', [...args, '-C', parent, name]);
}
