// The archive of a platform, and the script that installs it. The script lies in the archive too, for whoever unpacks it by hand, and
// for taking it out again.
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTarGz } from '../archive.ts';
import { makeImage } from '../image.ts';
import { manifest, root, type Platform } from '../platforms.ts';

export function buildArchive(platform: Platform, stage: string, target: string): void {
  const name = `${manifest.name}-${manifest.version}-${platform}`;
  const image = join(stage, name);
  makeImage(platform, image);
  writeFileSync(join(image, 'PLATFORM'), `${platform}\n`);
  copyInstallScript(image);
  writeSums(image);
  makeTarGz(stage, name, join(target, `${name}.tar.gz`));
}

export function copyInstallScript(folder: string): void {
  const file = join(folder, 'install.sh');
  copyFileSync(join(root, 'installers/unix/install.sh'), file);
  chmodSync(file, 0o755);
}

/** Of each file in it, so that a copy that came apart is not installed. */
function writeSums(image: string): void {
  const files = readdirSync(image, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(image, path)).isFile())
    .sort();
  const lines = files.map((path) => {
    const sum = createHash('sha256').update(readFileSync(join(image, path)));
    return `${sum.digest('hex')}  ${path}\n`;
  });
  writeFileSync(join(image, 'SHA256SUMS'), lines.join(''), { mode: 0o644 });
}
