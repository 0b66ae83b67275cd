// `npm run installers [kind…] [-- --platform NAME…]`: every package, or those of some kinds and platforms, into dist/installers,
// with their SHA-256 sums. Needs Linux with the tools that the READMEs of the kinds name.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDeb } from './deb/build.ts';
import { buildMcpb } from './mcpb/build.ts';
import { buildNpm } from './npm/build.ts';
import { isPlatform, PLATFORMS, root, type Platform } from './platforms.ts';
import { buildArchive, copyInstallScript } from './unix/build.ts';
import { buildSetup } from './windows/build.ts';

const target = join(root, 'dist/installers');
const stage = join(root, 'dist/stage');

/** What is built of each kind, for a platform or for all of them. */
const kinds: Readonly<Record<string, (platforms: readonly Platform[]) => void | Promise<void>>> = {
  npm: () => buildNpm(target),
  deb: (platforms) => {
    if (platforms.includes('linux-x64')) buildDeb(stage, target);
  },
  unix: (platforms) => {
    for (const platform of platforms) if (platform !== 'win32-x64') buildArchive(platform, stage, target);
    copyInstallScript(target);
  },
  mcpb: async (platforms) => {
    for (const platform of platforms) await buildMcpb(platform, stage, target);
  },
  windows: (platforms) => {
    if (platforms.includes('win32-x64')) buildSetup(stage, target);
  },
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { platform: { type: 'string', multiple: true, default: [...PLATFORMS] } },
  });
  const platforms = values.platform.filter(isPlatform);
  const wanted = positionals.length > 0 ? positionals : Object.keys(kinds);
  const unknown = [
    ...values.platform.filter((name) => !isPlatform(name)),
    ...wanted.filter((kind) => !Object.hasOwn(kinds, kind)),
  ];
  if (unknown.length > 0)
    throw new Error(
      `Unknown: ${unknown.join(', ')}. Kinds: ${Object.keys(kinds).join(', ')}. Platforms: ${PLATFORMS.join(', ')}.`,
    );

  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  try {
    for (const kind of wanted) {
      const startedAt = performance.now();
      await kinds[kind]?.(platforms);
      console.log(`${kind}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    }
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  writeSums();
}

/** In the form that `sha256sum --check` reads. */
function writeSums(): void {
  const sums = readdirSync(target)
    .sort()
    .map((name) => {
      const content = readFileSync(join(target, name));
      console.log(`  ${(statSync(join(target, name)).size / 1e6).toFixed(1).padStart(6)} MB  ${name}`);
      return `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;
    });
  writeFileSync(join(target, 'SHA256SUMS'), sums.join(''));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
