// The installer for Windows, made by NSIS, which runs on Linux too.
import { join } from 'node:path';
import { makeImage } from '../image.ts';
import { manifest, root } from '../platforms.ts';
import { runTool } from '../run-tool.ts';

export function buildSetup(stage: string, target: string): void {
  const image = join(stage, 'windows');
  makeImage('win32-x64', image);
  makeSetup(image, manifest.version, join(target, 'mcp-bridge-setup.exe'));
}

export function makeSetup(
  image: string,
  version: string,
  output: string,
  defines: readonly string[] = [],
): void {
  const given = [`VERSION=${version}`, `IMAGE=${image}`, `OUTPUT=${output}`, ...defines];
  // -WX: a warning is a mistake in the script.
  const args = ['-V2', '-WX', ...given.map((define) => `-D${define}`)];
  runTool('nsis', 'makensis', [...args, join(root, 'installers/windows/setup.nsi')]);
}
